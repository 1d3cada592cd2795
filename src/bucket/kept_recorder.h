// Enters what a supervised bucket keeps into a chain of its archive's ledger: each content that a client replaced or deleted, with its
// SHA-256, where it is kept, and since when; and what took its place, as long as that stands there. So `pawl verify` tells what was
// written again from what was lost or altered, and what stands there now from anything else.
//
// The kept objects are the work list: they are numbered densely by the commit that keeps them, an entry's sequence number is its
// object's number, and the chain's last page says how far they are entered. Nothing else is remembered, so there is nothing that a
// crash could make wrong. An object that cannot be read stops the chain there, and status() says why.
//
// Thread use: run(), catch_up() on one executor; stop() and status() from any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "bucket/own_access.h"
#include "ledger/kept_page.h"
#include "port/ledger_store.h"

namespace pawl::bucket {

struct KeptStatus {
  std::uint64_t kept = 0;        // objects that the bucket keeps
  std::uint64_t kept_bytes = 0;  // of them all
  std::uint64_t entered = 0;     // of them, in durable pages
  std::string why;               // it does not go on; empty: it does
};

struct KeptRecorderOptions {
  std::string bucket;
  std::string archive;  // the archive's id, 16 hex digits
  // How long what is kept waits for others to share a page.
  Duration page_interval = std::chrono::seconds(1);
};

class KeptRecorder {
 public:
  // `open_ledger` gives a ledger of the bucket, as if just opened, for this chain alone.
  KeptRecorder(OwnPorts ports, std::function<std::unique_ptr<LedgerStore>()> open_ledger,
               KeptRecorderOptions options);

  // Until stop(). Once.
  Awaitable<void> run();
  void stop();
  // Enters all that is kept by now. Errors: what stopped it; a later call goes on from the last durable page.
  Awaitable<Status> catch_up();
  KeptStatus status() const;

 private:
  Awaitable<Status> find_end();
  // The entries of one page at most, from the next one on: kPageEntryBytesMax of them, and while it gathers those of one piece of
  // work beside.
  Awaitable<Result<std::vector<std::string>>> gather(std::uint64_t kept);
  Awaitable<Status> enter(std::vector<std::string> entries);
  Result<Supervision> look();
  void note(const Status& status);

  OwnPorts ports_;
  std::function<std::unique_ptr<LedgerStore>()> open_ledger_;
  KeptRecorderOptions options_;
  std::unique_ptr<LedgerStore> ledger_;  // nothing: where the chain ends has to be read
  ledger::ChainEndState end_;
  std::unique_ptr<Alarm> alarm_;

  mutable std::mutex mutex_;  // the two below
  KeptStatus status_;
  bool stopping_ = false;
};

}  // namespace pawl::bucket
