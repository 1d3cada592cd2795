// What the recorder remembers of tables, shards and rounds. Private to recorder*.cc.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/recorder.h"

namespace pawl::pipeline {

struct Recorder::Table {
  RecordedTable facts;
  archive::NamedTable named;
  archive::NameTemplate names;
  Duration page_interval{0};        // RecorderOptions::page_interval, or its own
  bool in_ledger = false;           // its first event is durable
  bool end_waits = false;           // deleted, and its last event is among root_events_, or was
  bool end_in_ledger = false;       // deleted, and its last event is durable
  bool counter_reset_told = false;  // its one alarm is in the root chain
};

// A change in flight, ready to be put and entered.
struct Recorder::Rendered {
  ShardId shard;
  ledger::PageEntry entry;  // `object` and `renamed` are final once it is durable
  std::string name;         // as the template says
  std::string body;         // freed once it is durable
};

struct Recorder::Shard {
  ShardId id;
  Table* table = nullptr;
  archive::Progress progress;
  ledger::ChainEndState chain;
  // Pages after `chain` that a failed sync was given: they may be there, so they are the next to be written, unchanged.
  std::vector<ledger::NextPage> unsettled;
  std::deque<Rendered> flight;  // one for each of progress.in_flight

  SequenceNumber committed;  // the newest that was told by the board, or read
  bool check_source = true;  // there may be more to read than `committed` says
  bool at_end = false;       // the last read found nothing more
  MonotonicInstant read_retry_at;
  MonotonicInstant page_due;  // the table's page interval after the last page

  // The heartbeat on its way: it has passed when everything committed before it is in pages.
  struct Beat {
    Instant instant;
    SequenceNumber committed;
  };
  std::optional<Beat> beat;
  std::optional<Instant> heartbeat;  // the newest that passed

  MonotonicInstant moved;  // when a change or heartbeat last came through
  Instant moved_at;
  std::string where;  // of the last failure since then
  std::string why;

  // When further changes may be read, if there are any.
  MonotonicInstant reads_from(std::size_t page_changes_full) const {
    const auto from = std::max(read_retry_at, progress.retry_at);
    const bool full = committed.value >= progress.read().value + page_changes_full;
    return full ? from : std::max(from, page_due);
  }
  bool is_due(MonotonicInstant now, std::size_t page_changes_full) const {
    if (progress.phase != archive::Progress::Phase::kOpen || now < progress.retry_at) return false;
    if (!flight.empty()) return true;
    return now >= reads_from(page_changes_full) && (check_source || committed > progress.read());
  }
  Rendered& rendered(SequenceNumber sequence) {
    return flight[sequence.value - progress.paged.value - 1];
  }
  const Rendered& rendered(SequenceNumber sequence) const {
    return flight[sequence.value - progress.paged.value - 1];
  }
};

// The effects of one round that are still to be done, in order of shards.
struct Recorder::Round {
  MonotonicInstant now;
  std::vector<std::pair<Shard*, archive::SetAside>> asides;
  std::vector<std::pair<Shard*, archive::Put>> puts;
  std::vector<std::pair<Shard*, archive::WritePage>> pages;
  bool moved = false;  // something was read or paged
};

// What status() tells of a shard, from data that does not need the recorder's coroutine to be alive.
struct Recorder::ShardFacts {
  ShardId shard;
  std::string table;
  SequenceNumber committed;
  SequenceNumber archived;
  std::optional<Instant> oldest;  // commit of the first change in flight
  Duration waits{0};              // by design, before a change is taken up
  MonotonicInstant moved;
  Instant moved_at;
  std::optional<Instant> heartbeat;
  std::string where;
  std::string why;
};

}  // namespace pawl::pipeline
