#include "queue/queue_board.h"

#include <set>
#include <string_view>

namespace pawl::queue {
namespace {

// What hides or shows messages by the passing of time alone. What is due next is found here, too, so that the next look reads
// nothing until then.
void count_ready(KeyValueStore& store, QueueShelf& shelf, Instant now) {
  if (shelf.advance(store, now).ok()) static_cast<void>(shelf.next_ready(store).ok());
}

QueueLine line_of(KeyValueStore& store, QueueShelf& shelf, Instant now) {
  count_ready(store, shelf, now);
  QueueLine line;
  line.name = shelf.record.name;
  line.visible = shelf.visible();
  line.in_flight = shelf.in_flight();
  line.delayed = shelf.delayed();
  line.expired = shelf.marks().expired;
  line.retention = shelf.record.attributes.retention;
  if (auto oldest = shelf.oldest_sent(store); oldest.ok()) line.oldest = *oldest;
  return line;
}

}  // namespace

QueuesFigures figures_of(KeyValueStore& store, const QueueCatalog& catalog, Instant now) {
  QueuesFigures figures;
  std::set<std::string_view> targets;
  for (const auto& [name, shelf] : catalog.shelves()) {
    if (const auto& redrive = shelf->record.attributes.redrive) targets.insert(redrive->target);
    if (figures.listed.size() < kListedMax) {
      figures.listed.push_back(line_of(store, *shelf, now));
      continue;
    }
    ++figures.others.queues;
    figures.others.messages += shelf->total();
    figures.others.expired += shelf->marks().expired;
  }
  for (QueueLine& line : figures.listed) line.holds_dead_letters = targets.contains(line.name);
  return figures;
}

void QueueBoard::put(QueuesFigures figures) {
  auto next = std::make_shared<const QueuesFigures>(std::move(figures));
  const std::lock_guard lock(mutex_);
  newest_.swap(next);
}

std::shared_ptr<const QueuesFigures> QueueBoard::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

}  // namespace pawl::queue
