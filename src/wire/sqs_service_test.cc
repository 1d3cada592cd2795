// SQS in both protocols over a queue that answers what the test lays out.
#include "wire/sqs_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/queue_format.h"
#include "wire/fake_table_test.h"
#include "wire/sqs_message.h"
#include "wire/sqs_query_form.h"

namespace pawl::wire {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class FakeQueues final : public queue::CommandSink {
 public:
  void submit(queue::Command command) override {
    last.emplace(std::move(command));
    last->done(unknown ? std::nullopt : std::optional(answer));
  }
  std::optional<queue::Command> last;
  queue::Answer answer;
  bool unknown = false;
};

class SqsServiceTest : public testing::Test {
 protected:
  HttpResponse ask(bool json, std::string_view operation, std::string body) {
    body.reserve(body.size() + kBodyPadding);
    HttpRequest request;
    request.method = "POST";
    request.target = "/";
    request.body = body;
    request.id = "request-1";
    request.headers = {{"Host", "queues.test:8000"},
                       {"Content-Type", json ? kAmzJson : "application/x-www-form-urlencoded"}};
    const auto responder = std::make_shared<FakeResponder>();
    const Caller caller{"AKID", "eu-west-1"};
    if (json) {
      service_.serve_json(operation, request, caller, Completion(responder));
    } else {
      service_.serve_form(request, caller, Completion(responder));
    }
    EXPECT_EQ(responder->calls, 1);
    HttpResponse closed;
    closed.status = 0;
    return responder->response.value_or(closed);
  }
  HttpResponse json(std::string_view operation, std::string body) {
    return ask(true, operation, std::move(body));
  }
  HttpResponse form(std::string body) { return ask(false, {}, std::move(body)); }
  static std::string query_error(const HttpResponse& response) {
    for (const auto& [name, value] : response.headers) {
      if (name == "x-amzn-query-error") return value;
    }
    return "";
  }
  template <typename Action>
  const Action& action() {
    return std::get<Action>(queues_.last->action);
  }

  FakeQueues queues_;
  SqsService service_{queues_};
  const std::string url_ = "http://queues.test:8000/000000000000/orders";
};

TEST_F(SqsServiceTest, SendsInBothProtocols) {
  queues_.answer.entries.push_back({std::nullopt, {0x12, 0x34}});
  const auto first =
      json("SendMessage", R"({"QueueUrl":")" + url_ + R"(","MessageBody":"a<b","DelaySeconds":5})");
  EXPECT_EQ(first.status, 200U) << first.body;
  EXPECT_EQ(queues_.last->queue, "orders");
  const auto& sent = action<queue::Send>().entries.at(0);
  EXPECT_EQ(sent.message.body, "a<b");
  EXPECT_EQ(sent.message.sender, "AKID");
  EXPECT_EQ(sent.delay, queue::seconds(5));
  EXPECT_EQ(first.body, R"({"MessageId":"12340000-0000-0000-0000-000000000000",)"
                        R"("MD5OfMessageBody":"1a382af93ed4b8a29ebd8e859a0168d7"})");
  const auto second = form("Action=SendMessage&Version=2012-11-05&QueueUrl=" + url_ +
                           "&MessageBody=a%3Cb+c&DelaySeconds=5");
  EXPECT_EQ(second.status, 200U) << second.body;
  EXPECT_EQ(action<queue::Send>().entries.at(0).message.body, "a<b c");
  EXPECT_THAT(second.body, HasSubstr("<SendMessageResponse xmlns=\"http://queue.amazonaws.com/doc/"
                                     "2012-11-05/\"><SendMessageResult><MessageId>1234"));
  EXPECT_THAT(second.body, HasSubstr("<RequestId>request-1</RequestId>"));
}

// The digests that Debian's boto3 computes for the same attributes.
TEST_F(SqsServiceTest, DigestsOfAttributes) {
  std::vector<queue::MessageAttribute> attributes = {{"n", "Number", "5", false},
                                                     {"b", "Binary", std::string("\0\1", 2), true}};
  EXPECT_EQ(attributes_md5(attributes), "323ff500ae4fab048bad3edfdb23e904");
  EXPECT_EQ(attributes_md5({{"AWSTraceHeader", "String", "Root=1", false}}),
            "d6619b3d47b81d3fc72c0db005a70eda");
  EXPECT_EQ(hex_of(md5("")), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST_F(SqsServiceTest, ErrorsHaveTypeCodeAndHeader) {
  queues_.answer.failure = {queue::Refusal::kNoSuchQueue, ""};
  const auto first = json("GetQueueUrl", R"({"QueueName":"orders"})");
  EXPECT_EQ(first.status, 400U);
  EXPECT_THAT(first.body, HasSubstr(R"("__type":"com.amazonaws.sqs#QueueDoesNotExist")"));
  EXPECT_EQ(query_error(first), "AWS.SimpleQueueService.NonExistentQueue;Sender");
  const auto second = form("Action=GetQueueUrl&QueueName=orders");
  EXPECT_EQ(second.status, 400U);
  EXPECT_THAT(second.body, HasSubstr("<Type>Sender</Type><Code>"
                                     "AWS.SimpleQueueService.NonExistentQueue</Code>"));
  queues_.unknown = true;
  EXPECT_EQ(json("GetQueueUrl", R"({"QueueName":"orders"})").status, 0U) << "closed, not answered";
}

TEST_F(SqsServiceTest, RefusesWhatIsWrong) {
  const auto refused = [&](std::string_view operation, const std::string& body) {
    queues_.last.reset();
    const auto response = json(operation, body);
    EXPECT_FALSE(queues_.last) << operation << body;
    return query_error(response);
  };
  const std::string queue = R"({"QueueUrl":")" + url_ + "\"";
  EXPECT_EQ(refused("SendMessage", queue + "}"), "MissingParameter;Sender");
  EXPECT_EQ(refused("SendMessage", R"({"MessageBody":"x"})"), "MissingParameter;Sender");
  EXPECT_EQ(refused("SendMessage", queue + R"(,"MessageBody":"\u0000"})"),
            "InvalidMessageContents;Sender");
  EXPECT_EQ(refused("SendMessage", queue + R"(,"MessageBody":"\uffff"})"),
            "InvalidMessageContents;Sender");
  EXPECT_EQ(refused("SendMessage", queue + R"(,"MessageBody":"x","DelaySeconds":901})"),
            "InvalidParameterValue;Sender");
  EXPECT_EQ(refused("SendMessage", queue + R"(,"MessageBody":"x","MessageGroupId":"g"})"),
            "AWS.SimpleQueueService.UnsupportedOperation;Sender");
  EXPECT_EQ(refused("SendMessage", queue + R"(,"MessageBody":5})"), "MalformedInput;Sender");
  EXPECT_EQ(refused("SendMessage", R"({"QueueUrl":"http://x/1/orders","MessageBody":"x"})"),
            "InvalidAddress;Sender");
  EXPECT_EQ(refused("ReceiveMessage", queue + R"(,"MaxNumberOfMessages":11})"),
            "InvalidParameterValue;Sender");
  EXPECT_EQ(refused("ReceiveMessage", queue + R"(,"WaitTimeSeconds":21})"),
            "InvalidParameterValue;Sender");
  EXPECT_EQ(refused("ReceiveMessage", queue + R"(,"AttributeNames":["Colour"]})"),
            "InvalidAttributeName;Sender");
  EXPECT_EQ(refused("DeleteMessage", queue + R"(,"ReceiptHandle":"x"})"),
            "ReceiptHandleIsInvalid;Sender");
  EXPECT_EQ(refused("CreateQueue", R"({"QueueName":"a b"})"), "InvalidParameterValue;Sender");
  EXPECT_EQ(refused("CreateQueue", R"({"QueueName":"q.fifo"})"),
            "AWS.SimpleQueueService.UnsupportedOperation;Sender");
  EXPECT_EQ(refused("CreateQueue", R"({"QueueName":"q","tags":{"a":"b"}})"),
            "AWS.SimpleQueueService.UnsupportedOperation;Sender");
  EXPECT_EQ(refused("CreateQueue", R"({"QueueName":"q","Attributes":{"VisibilityTimeout":"x"}})"),
            "InvalidAttributeValue;Sender");
  EXPECT_EQ(refused("CreateQueue", R"({"QueueName":"q","Attributes":{"Colour":"x"}})"),
            "InvalidAttributeName;Sender");
  EXPECT_EQ(refused("TagQueue", "{}"), "AWS.SimpleQueueService.UnsupportedOperation;Sender");
  EXPECT_EQ(refused("Dance", "{}"), "InvalidAction;Sender");
  EXPECT_EQ(refused("SendMessage", "[1]"), "MalformedInput;Sender");
  EXPECT_EQ(refused("SendMessage", "{\"a\":" + std::string(20, '[')), "MalformedInput;Sender");
}

TEST_F(SqsServiceTest, BatchesFailByEntryOrAsAWhole) {
  const auto batch = [&](const std::string& entries) {
    return json("SendMessageBatch",
                R"({"QueueUrl":")" + url_ + R"(","Entries":[)" + entries + "]}");
  };
  EXPECT_EQ(query_error(batch("")), "AWS.SimpleQueueService.EmptyBatchRequest;Sender");
  EXPECT_EQ(query_error(batch(R"({"Id":"a","MessageBody":"1"},{"Id":"a","MessageBody":"2"})")),
            "AWS.SimpleQueueService.BatchEntryIdsNotDistinct;Sender");
  EXPECT_EQ(query_error(batch(R"({"Id":"a b","MessageBody":"1"})")),
            "AWS.SimpleQueueService.InvalidBatchEntryId;Sender");
  std::string many;
  for (int i = 0; i < 11; ++i) {
    many += (i > 0 ? "," : "") + (R"({"Id":"i)" + std::to_string(i) + R"(","MessageBody":"1"})");
  }
  EXPECT_EQ(query_error(batch(many)), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest;Sender");
  const std::string large(150'000, 'x');
  EXPECT_EQ(query_error(batch(R"({"Id":"a","MessageBody":")" + large +
                              R"("},{"Id":"b","MessageBody":")" + large + "\"}")),
            "AWS.SimpleQueueService.BatchRequestTooLong;Sender");
  queues_.answer.entries = {{std::nullopt, {1}},
                            {queue::Failure{queue::Refusal::kTooLarge, "1024"}, {}}};
  const auto mixed = batch(R"({"Id":"good","MessageBody":"1"},{"Id":"bad","MessageBody":"\u0001"},)"
                           R"({"Id":"large","MessageBody":"3"})");
  EXPECT_EQ(mixed.status, 200U);
  EXPECT_EQ(action<queue::Send>().entries.size(), 2U);
  EXPECT_THAT(mixed.body, StartsWith(R"({"Successful":[{"Id":"good","MessageId":"0100)"));
  EXPECT_THAT(mixed.body, HasSubstr(R"({"Id":"bad","SenderFault":true,"Code":"InvalidMessage)"));
  EXPECT_THAT(mixed.body, HasSubstr(R"({"Id":"large","SenderFault":true,"Code":"InvalidParam)"));
}

TEST_F(SqsServiceTest, ReceivedMessages) {
  queue::ReceivedMessage got;
  got.message.body = "line\r\n<&>";
  got.message.attributes = {{"one", "String", "1", false}, {"two.b", "Binary", "2", true}};
  got.state.sent = got.state.first_received = {1'500'000};
  got.state.receives = 3;
  got.state.source = "orders";
  got.receipt = {1, 2, 3, {4}, 3};
  queues_.answer.messages.push_back(got);
  const auto some = form("Action=ReceiveMessage&QueueUrl=" + url_ +
                         "&AttributeName.1=ApproximateReceiveCount&MessageAttributeName.1=two.*"
                         "&MaxNumberOfMessages=10&WaitTimeSeconds=20&VisibilityTimeout=0");
  EXPECT_THAT(some.body, HasSubstr("<Body>line&#13;&#10;&lt;&amp;&gt;</Body><Attribute><Name>"
                                   "ApproximateReceiveCount</Name><Value>3</Value></Attribute>"));
  EXPECT_THAT(some.body, HasSubstr("<MessageAttribute><Name>two.b</Name><Value><BinaryValue>Mg=="
                                   "</BinaryValue><DataType>Binary</DataType></Value>"));
  EXPECT_THAT(some.body, Not(HasSubstr("<Name>one</Name>")));
  EXPECT_THAT(some.body, HasSubstr("<ReceiptHandle>" + queue::receipt_text(got.receipt)));
  const auto& receive = action<queue::Receive>();
  EXPECT_EQ(receive.count_max, 10U);
  EXPECT_EQ(receive.wait, queue::seconds(20));
  EXPECT_EQ(receive.visibility, queue::seconds(0));
  const auto all = json("ReceiveMessage",
                        R"({"QueueUrl":")" + url_ + R"(","MessageSystemAttributeNames":["All"]})");
  EXPECT_THAT(all.body,
              HasSubstr("\"DeadLetterQueueSourceArn\":\"arn:aws:sqs:eu-west-1:000000000000:ord"));
  EXPECT_THAT(all.body, HasSubstr(R"("SentTimestamp":"1500")"));
  queues_.answer.messages.clear();
  EXPECT_EQ(json("ReceiveMessage", R"({"QueueUrl":")" + url_ + "\"}").body, "{}");
}

TEST_F(SqsServiceTest, QueueAttributes) {
  queues_.answer.figures.emplace();
  queues_.answer.figures->record.name = "orders";
  queues_.answer.figures->in_flight = 7;
  const auto made = form(
      "Action=CreateQueue&QueueName=orders&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=7"
      "&Attribute.2.Name=RedrivePolicy&Attribute.2.Value=%7B%22deadLetterTargetArn%22%3A%22arn%3A"
      "aws%3Asqs%3Aus-east-1%3A000000000000%3Adead%22%2C%22maxReceiveCount%22%3A%225%22%7D");
  EXPECT_THAT(made.body, HasSubstr("<QueueUrl>" + url_ + "</QueueUrl>"));
  const auto& changes = action<queue::Create>().attributes;
  EXPECT_EQ(changes.visibility, queue::seconds(7));
  ASSERT_TRUE(changes.redrive && *changes.redrive);
  EXPECT_EQ(**changes.redrive, (queue::RedrivePolicy{"dead", 5}));
  const auto asked = json("GetQueueAttributes",
                          R"({"QueueUrl":")" + url_ +
                              R"(","AttributeNames":["ApproximateNumberOfMessagesNotVisible"]})");
  EXPECT_EQ(asked.body, R"({"Attributes":{"ApproximateNumberOfMessagesNotVisible":"7"}})");
}

TEST(SqsForm, Bounds) {
  const auto wrong = [](const std::string& body) { return !parse_sqs_form(body).ok(); };
  EXPECT_FALSE(wrong("a.b.c=1&a.b.d=2&&x"));
  EXPECT_TRUE(wrong("a=%"));
  EXPECT_TRUE(wrong("a=%4"));
  EXPECT_TRUE(wrong("a=%zz"));
  EXPECT_TRUE(wrong("a=%ff"));
  EXPECT_TRUE(wrong("a=1&a=2"));
  EXPECT_TRUE(wrong("a=1&a.b=2"));
  EXPECT_TRUE(wrong("a.b=1&a=2"));
  EXPECT_TRUE(wrong("a..b=1"));
  EXPECT_TRUE(wrong("=1"));
  EXPECT_TRUE(wrong("a.b.c.d.e.f.g.h.i=1"));
  EXPECT_TRUE(wrong(std::string(300, 'a') + "=1"));
  std::string many;
  for (std::size_t i = 0; i <= kSqsValuesMax; ++i) many += "a" + std::to_string(i) + "=1&";
  EXPECT_TRUE(wrong(many));
}

}  // namespace
}  // namespace pawl::wire
