// What clients ask of queues, as plain data, and what they are answered. The wire layer makes commands of requests and
// requests' answers of answers; everything that a protocol words (names of exceptions, XML, JSON) is its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "queue/queue_types.h"

namespace pawl::queue {

enum class Refusal : std::uint8_t {
  kNoSuchQueue,
  kExistsOtherwise,  // a queue of that name has other attributes; the message names one
  kNoSuchTarget,     // the queue that a redrive policy names is not there
  kTooLarge,         // larger than the queue's message_bytes_max
  kBadReceipt,       // of another queue
  kGone,  // the receipt is not of the newest receive, or the message is no more (change of visibility)
  kNotInFlight,    // its visibility has run out already
  kHiddenTooLong,  // kVisibilityMax after its receive is the most
  kOverLimit,      // kInFlightMax messages are in flight
  kTooManyQueues,
  kNoRoom,    // the disk: sends are refused, receives and deletions are not
  kBusy,      // too much waits for the disk
  kStorage,   // not done, definitely: the store said so
  kStopping,  // the server is about to end
};
struct Failure {
  Refusal refusal = Refusal::kStorage;
  std::string message;  // for people; may be empty
};

struct Create {
  AttributeChanges attributes;
};
struct SetAttributes {
  AttributeChanges attributes;
};
struct Delete {};
struct Purge {};
struct Describe {};  // its record and its counts
// Names in byte order, after `after`, at most `limit`; `sources_of`: only those whose redrive policy names the queue.
struct List {
  std::string prefix;
  std::string after;
  std::size_t limit = 1000;
  bool sources_of = false;
};
struct Send {
  struct Entry {
    Message message;
    std::optional<seconds> delay;  // else the queue's
    std::size_t bytes = 0;         // as its limit counts them
  };
  std::vector<Entry> entries;  // 1 to kBatchMax; each is answered by itself
};
struct Receive {
  std::size_t count_max = 1;          // 1 to kBatchMax
  std::optional<seconds> visibility;  // else the queue's
  std::optional<seconds> wait;        // else the queue's
};
struct Remove {
  std::vector<Receipt> receipts;
};
struct ChangeVisibility {
  struct Entry {
    Receipt receipt;
    seconds visibility{0};
  };
  std::vector<Entry> entries;
};
using Action = std::variant<Create, SetAttributes, Delete, Purge, Describe, List, Send, Receive,
                            Remove, ChangeVisibility>;

// About a queue, as of one instant. Each message is in exactly one of the three.
struct QueueFigures {
  QueueRecord record;
  std::uint64_t visible = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t delayed = 0;
};

struct ReceivedMessage {
  Message message;
  MessageState state;
  Receipt receipt;
};

// Of one entry of Send, Remove or ChangeVisibility.
struct EntryAnswer {
  std::optional<Failure> failure;
  MessageId id{};  // of a send
};

struct Answer {
  std::optional<Failure> failure;  // of the whole command; then the rest is empty
  std::vector<EntryAnswer> entries;
  std::vector<ReceivedMessage> messages;  // may be none
  std::optional<QueueFigures> figures;    // Create, Describe
  std::vector<std::string> names;         // List
  bool more = false;                      // List: there are names after these
};

struct Command {
  std::string queue;  // its name; unused by List without sources_of
  Action action;
  std::size_t bytes = 0;  // about what it holds in memory
  // Called once, on the queue thread, or on the submitter's where the command is refused at once. Nothing: nobody knows
  // whether it was done, so nothing may be answered. What it says was done is durable (receives: see queue_engine.h).
  std::function<void(std::optional<Answer>)> done;
};

// Where commands go. Thread-safe; never blocks.
class CommandSink {
 public:
  virtual ~CommandSink() = default;
  virtual void submit(Command command) = 0;
};

}  // namespace pawl::queue
