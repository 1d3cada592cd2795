#include "wire/sqs_answer.h"

#include <vector>

#include "wire/sqs_error.h"
#include "wire/xml_text.h"

namespace pawl::wire {
namespace {

class JsonAnswer final : public SqsAnswer {
 public:
  JsonAnswer() { writer_.begin_object(); }

  void text(std::string_view name, std::string_view value) override { writer_.field(name, value); }
  void boolean(std::string_view name, bool value) override { writer_.field(name, value); }
  void begin_list(std::string_view json_name, std::string_view) override {
    writer_.key(json_name).begin_array();
  }
  void list_text(std::string_view value) override { writer_.string(value); }
  void begin_item() override { writer_.begin_object(); }
  void end_item() override { writer_.end_object(); }
  void end_list() override { writer_.end_array(); }
  void begin_map(std::string_view json_name, std::string_view) override {
    writer_.key(json_name).begin_object();
  }
  void map_text(std::string_view key, std::string_view value) override {
    writer_.field(key, value);
  }
  void begin_map_item(std::string_view key) override { writer_.key(key).begin_object(); }
  void end_map_item() override { writer_.end_object(); }
  void end_map() override { writer_.end_object(); }

  HttpResponse finish() override {
    writer_.end_object();
    HttpResponse response;
    response.content_type = kAmzJson;
    response.body = std::move(body_);
    return response;
  }

 private:
  std::string body_;
  JsonWriter writer_{body_};
};

class XmlAnswer final : public SqsAnswer {
 public:
  XmlAnswer(std::string_view operation, std::string_view request_id, bool has_result)
      : operation_(operation), request_id_(request_id), has_result_(has_result) {
    body_.append("<?xml version=\"1.0\"?><").append(operation_);
    body_.append("Response xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">");
    if (has_result_) body_.append("<").append(operation_).append("Result>");
  }

  void text(std::string_view name, std::string_view value) override { element(name, value); }
  void boolean(std::string_view name, bool value) override {
    element(name, value ? "true" : "false");
  }
  void begin_list(std::string_view, std::string_view query_name) override {
    names_.push_back(query_name);
  }
  void list_text(std::string_view value) override { element(names_.back(), value); }
  void begin_item() override { open(names_.back()); }
  void end_item() override { close(names_.back()); }
  void end_list() override { names_.pop_back(); }
  void begin_map(std::string_view, std::string_view query_name) override {
    names_.push_back(query_name);
  }
  void map_text(std::string_view key, std::string_view value) override {
    open(names_.back());
    element("Name", key);
    element("Value", value);
    close(names_.back());
  }
  void begin_map_item(std::string_view key) override {
    open(names_.back());
    element("Name", key);
    open("Value");
  }
  void end_map_item() override {
    close("Value");
    close(names_.back());
  }
  void end_map() override { names_.pop_back(); }

  HttpResponse finish() override {
    if (has_result_) body_.append("</").append(operation_).append("Result>");
    body_.append("<ResponseMetadata><RequestId>").append(request_id_);
    body_.append("</RequestId></ResponseMetadata></").append(operation_).append("Response>");
    HttpResponse response;
    response.content_type = "text/xml";
    response.body = std::move(body_);
    return response;
  }

 private:
  void open(std::string_view name) { body_.append("<").append(name).append(">"); }
  void close(std::string_view name) { body_.append("</").append(name).append(">"); }
  void element(std::string_view name, std::string_view value) {
    open(name);
    append_xml_text(body_, value, XmlControls::kDropped);
    close(name);
  }

  std::string operation_;
  std::string request_id_;
  bool has_result_;
  std::string body_;
  std::vector<std::string_view> names_;  // of the lists and maps that are open
};

}  // namespace

std::unique_ptr<SqsAnswer> make_sqs_answer(SqsProtocol protocol, std::string_view operation,
                                           std::string_view request_id, bool has_result) {
  if (protocol == SqsProtocol::kJson) return std::make_unique<JsonAnswer>();
  return std::make_unique<XmlAnswer>(operation, request_id, has_result);
}

}  // namespace pawl::wire
