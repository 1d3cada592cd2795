// The control API, under /_control/: how a test tells the server what to do, and asks what came. README.md has it as a table.
#pragma once

#include <string>
#include <string_view>

#include "exchange.h"
#include "json.h"
#include "world.h"

namespace scripted {

class Control {
 public:
  explicit Control(World& world) : world_(&world) {}

  // `what`: the path after /_control/. The world's lock is held. Throws Refusal.
  Reply run(std::string_view method, std::string_view what, const Request& request);

 private:
  std::string get(std::string_view what, const Request& request);
  std::string post(std::string_view what, const Json& body);
  std::string clock() const;
  std::string settings() const;
  void change_settings(const Json& body);
  void reset(const Json& body);

  // control_tables.cc
  std::string make_table(const Json& body);
  std::string write(const Json& body);
  std::string shard(std::string_view what, const Json& body);
  std::string switch_stream(const Json& body);
  std::string shards_of(std::string_view table);
  Stream& stream_of(const Json& body);

  // control_buckets.cc
  std::string make_bucket(const Json& body);
  std::string puts_of(std::string_view bucket, bool overwritten);

  World* world_;
};

}  // namespace scripted
