// The operations on messages, alone and in batches.
#include <algorithm>
#include <set>

#include "queue/queue_format.h"
#include "wire/sqs_message.h"
#include "wire/sqs_operations.h"

namespace pawl::wire {
namespace {

constexpr std::size_t kEntryIdMax = 80;

SqsError invalid(std::string message) {
  return sqs_error(sqs_errors::kInvalidParameter, std::move(message));
}

SqsResult<std::int64_t> bounded(const SqsInput& input, std::string_view name, std::int64_t most,
                                std::int64_t otherwise) {
  WIRE_ASSIGN(const auto number, input.integer(name));
  if (!number) return otherwise;
  if (*number >= 0 && *number <= most) return *number;
  return invalid("Value " + std::to_string(*number) + " for parameter " + std::string(name) +
                 " is invalid. Reason: Must be >= 0 and <= " + std::to_string(most) +
                 ", if provided.");
}

SqsResult<queue::Receipt> receipt_of(const SqsInput& input) {
  WIRE_ASSIGN(const auto text, input.text("ReceiptHandle"));
  if (!text) {
    return sqs_error(sqs_errors::kMissingParameter,
                     "The request must contain the parameter ReceiptHandle.");
  }
  const auto receipt = queue::parse_receipt(*text);
  if (receipt) return *receipt;
  return sqs_error(sqs_errors::kBadReceipt, "The input receipt handle is invalid.");
}

SqsResult<queue::ChangeVisibility::Entry> change_of(const SqsInput& input) {
  queue::ChangeVisibility::Entry entry;
  if (!input.has("VisibilityTimeout")) {
    return sqs_error(sqs_errors::kMissingParameter,
                     "The request must contain the parameter VisibilityTimeout.");
  }
  WIRE_ASSIGN(const auto visibility,
              bounded(input, "VisibilityTimeout", queue::kVisibilityMax.count(), 0));
  entry.visibility = queue::seconds(visibility);
  WIRE_ASSIGN(entry.receipt, receipt_of(input));
  return entry;
}

// A batch: entries under distinct ids. One that is wrong by itself fails by itself; the others go on.
struct Batch {
  struct Entry {
    std::string id;
    SqsInput input;
    std::optional<SqsError> error;
  };
  std::vector<Entry> entries;
};

SqsResult<Batch> parse_batch(const SqsCall& call, std::string_view query_name) {
  WIRE_ASSIGN(const auto parts, call.input.list("Entries", query_name));
  if (parts.empty()) {
    return sqs_error(sqs_errors::kEmptyBatch, "There should be at least one " +
                                                  std::string(query_name) + " in the request.");
  }
  if (parts.size() > queue::kBatchMax) {
    return sqs_error(sqs_errors::kTooManyEntries,
                     "Maximum number of entries per request are 10. You have sent " +
                         std::to_string(parts.size()) + ".");
  }
  Batch batch;
  std::set<std::string_view> ids;
  for (const SqsInput& part : parts) {
    WIRE_ASSIGN(const auto id, part.text("Id"));
    const bool good = id && !id->empty() && id->size() <= kEntryIdMax &&
                      std::all_of(id->begin(), id->end(), [](char c) {
                        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                               (c >= '0' && c <= '9') || c == '_' || c == '-';
                      });
    if (!good) {
      return sqs_error(sqs_errors::kInvalidEntryId,
                       "A batch entry id can only contain alphanumeric characters, hyphens and "
                       "underscores. It can be at most 80 letters long.");
    }
    if (!ids.insert(*id).second) {
      return sqs_error(sqs_errors::kIdsNotDistinct, "Id " + std::string(*id) + " repeated.");
    }
    batch.entries.push_back({std::string(*id), part, std::nullopt});
  }
  return batch;
}

struct Outcome {
  std::string id;
  std::optional<SqsError> error;
};

// Writes Successful and Failed. `write_one` writes what a good entry has beside its id; `sent` counts the entries that went
// to the queue, whose answers come in their order.
using WriteOne = std::function<void(std::size_t sent, const queue::EntryAnswer&, SqsAnswer&)>;
void write_batch(const std::vector<Outcome>& entries, const queue::Answer& answer,
                 std::string_view good_name, const WriteOne& write_one, SqsAnswer& out) {
  std::vector<Outcome> failed;
  std::size_t sent = 0;
  bool begun = false;
  for (const Outcome& entry : entries) {
    if (entry.error) {
      failed.push_back(entry);
      continue;
    }
    const queue::EntryAnswer& one = answer.entries.at(sent++);
    if (one.failure) {
      failed.push_back({entry.id, sqs_error_of(*one.failure)});
      continue;
    }
    if (!begun) out.begin_list("Successful", good_name);
    begun = true;
    out.begin_item();
    out.text("Id", entry.id);
    write_one(sent - 1, one, out);
    out.end_item();
  }
  if (begun) out.end_list();
  if (failed.empty()) return;
  out.begin_list("Failed", "BatchResultErrorEntry");
  for (const Outcome& entry : failed) {
    out.begin_item();
    out.text("Id", entry.id);
    out.boolean("SenderFault", entry.error->kind.sender);
    out.text("Code", entry.error->kind.code);
    out.text("Message", entry.error->message);
    out.end_item();
  }
  out.end_list();
}

std::vector<Outcome> outcomes_of(Batch batch) {
  std::vector<Outcome> outcomes;
  for (Batch::Entry& entry : batch.entries) {
    outcomes.push_back({std::move(entry.id), std::move(entry.error)});
  }
  return outcomes;
}

auto write_batch_later(Batch batch, std::string_view good_name, WriteOne write_one) {
  return [entries = outcomes_of(std::move(batch)), good_name, write_one = std::move(write_one)](
             const queue::Answer& answer, SqsAnswer& out) -> SqsResult<Unit> {
    write_batch(entries, answer, good_name, write_one, out);
    return Unit{};
  };
}

// The answer of a single entry: its failure is the request's.
SqsResult<Unit> check_single(const queue::Answer& answer) {
  const queue::EntryAnswer& one = answer.entries.at(0);
  if (one.failure) return sqs_error_of(*one.failure);
  return Unit{};
}

SqsResult<Unit> write_single(const queue::Answer& answer, SqsAnswer&) {
  return check_single(answer);
}

void write_no_more(std::size_t, const queue::EntryAnswer&, SqsAnswer&) {}

// What stays to be digested once the body is on its way to the queue.
queue::Message without_body(const queue::Message& message) {
  queue::Message digested;
  digested.body_md5 = message.body_md5;
  digested.attributes = message.attributes;
  digested.trace = message.trace;
  return digested;
}

}  // namespace

SqsResult<SqsPlan> plan_send(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  WIRE_ASSIGN(queue::Send::Entry entry, parse_sqs_message(call.input, call.sender));
  plan.write = [message = without_body(entry.message)](const queue::Answer& answer,
                                                       SqsAnswer& out) -> SqsResult<Unit> {
    WIRE_TRY(check_single(answer));
    write_sent(out, message, answer.entries[0].id);
    return Unit{};
  };
  queue::Send send;
  send.entries.push_back(std::move(entry));
  plan.command.action = std::move(send);
  return plan;
}

SqsResult<SqsPlan> plan_send_batch(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  WIRE_ASSIGN(Batch batch, parse_batch(call, "SendMessageBatchRequestEntry"));
  queue::Send send;
  std::vector<queue::Message> messages;
  std::size_t bytes = 0;
  for (Batch::Entry& entry : batch.entries) {
    auto parsed = parse_sqs_message(entry.input, call.sender);
    if (!parsed.ok()) {
      entry.error = parsed.error();
      continue;
    }
    bytes += parsed->bytes;
    messages.push_back(without_body(parsed->message));
    send.entries.push_back(std::move(parsed).value());
  }
  if (bytes > queue::kMessageBytesMax) {
    return sqs_error(sqs_errors::kBatchTooLong,
                     "Batch requests cannot be longer than 262144 bytes. You have sent " +
                         std::to_string(bytes) + " bytes.");
  }
  plan.command.action = std::move(send);
  plan.write = write_batch_later(std::move(batch), "SendMessageBatchResultEntry",
                                 [messages = std::move(messages)](
                                     std::size_t sent, const queue::EntryAnswer& one,
                                     SqsAnswer& out) { write_sent(out, messages[sent], one.id); });
  return plan;
}

SqsResult<SqsPlan> plan_receive(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  if (call.input.has("ReceiveRequestAttemptId")) {
    return sqs_unsupported("FIFO queues (ReceiveRequestAttemptId)");
  }
  queue::Receive receive;
  WIRE_ASSIGN(const auto most, call.input.integer("MaxNumberOfMessages"));
  if (most && (*most < 1 || *most > static_cast<std::int64_t>(queue::kBatchMax))) {
    return invalid("Value " + std::to_string(*most) +
                   " for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and "
                   "10, if provided.");
  }
  receive.count_max = static_cast<std::size_t>(most.value_or(1));
  WIRE_ASSIGN(const auto visibility,
              bounded(call.input, "VisibilityTimeout", queue::kVisibilityMax.count(), -1));
  if (visibility >= 0) receive.visibility = queue::seconds(visibility);
  WIRE_ASSIGN(const auto wait, bounded(call.input, "WaitTimeSeconds", queue::kWaitMax.count(), -1));
  if (wait >= 0) receive.wait = queue::seconds(wait);
  WIRE_ASSIGN(auto names, parse_receive_names(call.input));
  plan.command.action = receive;
  plan.write = [names = std::move(names), region = std::string(call.region)](
                   const queue::Answer& answer, SqsAnswer& out) -> SqsResult<Unit> {
    if (answer.messages.empty()) return Unit{};
    out.begin_list("Messages", "Message");
    for (const queue::ReceivedMessage& message : answer.messages) {
      out.begin_item();
      write_received(out, message, names, region);
      out.end_item();
    }
    out.end_list();
    return Unit{};
  };
  return plan;
}

SqsResult<SqsPlan> plan_delete(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  WIRE_ASSIGN(const queue::Receipt receipt, receipt_of(call.input));
  plan.command.action = queue::Remove{{receipt}};
  plan.write = write_single;
  return plan;
}

SqsResult<SqsPlan> plan_delete_batch(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  WIRE_ASSIGN(Batch batch, parse_batch(call, "DeleteMessageBatchRequestEntry"));
  queue::Remove remove;
  for (Batch::Entry& entry : batch.entries) {
    const auto receipt = receipt_of(entry.input);
    if (receipt.ok()) {
      remove.receipts.push_back(receipt.value());
    } else {
      entry.error = receipt.error();
    }
  }
  plan.command.action = std::move(remove);
  plan.write = write_batch_later(std::move(batch), "DeleteMessageBatchResultEntry", write_no_more);
  return plan;
}

SqsResult<SqsPlan> plan_change(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  WIRE_ASSIGN(const auto entry, change_of(call.input));
  plan.command.action = queue::ChangeVisibility{{entry}};
  plan.write = write_single;
  return plan;
}

SqsResult<SqsPlan> plan_change_batch(const SqsCall& call) {
  SqsPlan plan;
  WIRE_ASSIGN(plan.command.queue, queue_of(call));
  WIRE_ASSIGN(Batch batch, parse_batch(call, "ChangeMessageVisibilityBatchRequestEntry"));
  queue::ChangeVisibility change;
  for (Batch::Entry& entry : batch.entries) {
    const auto one = change_of(entry.input);
    if (one.ok()) {
      change.entries.push_back(one.value());
    } else {
      entry.error = one.error();
    }
  }
  plan.command.action = std::move(change);
  plan.write =
      write_batch_later(std::move(batch), "ChangeMessageVisibilityBatchResultEntry", write_no_more);
  return plan;
}

}  // namespace pawl::wire
