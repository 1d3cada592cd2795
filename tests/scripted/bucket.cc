#include "bucket.h"

#include <fmt/format.h>

#include "text.h"

namespace scripted {

std::optional<Object> Bucket::find(const std::string& key) const {
  if (const auto found = objects_.find(key); found != objects_.end()) return found->second;
  if (!formula_ || erased_.contains(key)) return std::nullopt;
  const auto place = formula_->find(key);
  if (!place) return std::nullopt;
  Object object;
  object.body = std::make_shared<const std::string>(formula_->body(*place));
  object.size = object.body->size();
  object.etag = formula_->etag(*place);
  object.modified_ms = formula_->modified_ms();
  return object;
}

void Bucket::put(const std::string& key, Object object) {
  if (!keep_bodies_) object.body.reset();
  objects_.insert_or_assign(key, std::move(object));
}

void Bucket::erase(const std::string& key) {
  objects_.erase(key);
  if (formula_ && formula_->find(key)) erased_.insert(key);
}

Bucket::Walk::Walk(const Bucket& bucket, std::string_view from)
    : bucket_(&bucket), object_(bucket.objects_.lower_bound(from)) {
  if (bucket.formula_) names_.emplace(*bucket.formula_, from);
  choose();
}

void Bucket::Walk::choose() {
  while (names_ && !names_->done() && !bucket_->erased_.empty() &&
         bucket_->erased_.contains(names_->name()))
    names_->next();
  from_formula_ = names_ && !names_->done();
  if (!from_formula_ || object_ == bucket_->objects_.end()) return;
  const int order = names_->name().compare(object_->first);
  if (order == 0) names_->next();  // the object that was put hides the generated one
  from_formula_ = order < 0;
}

void Bucket::Walk::next() {
  if (from_formula_)
    names_->next();
  else
    ++object_;
  choose();
}

void Bucket::Walk::append_contents(std::string& out, bool url_encoded) const {
  if (from_formula_) return names_->append_contents(out);
  const Object& object = object_->second;
  out += fmt::format(
      "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</"
      "Size>"
      "<StorageClass>STANDARD</StorageClass></Contents>",
      url_encoded ? percent_encode(object_->first) : xml_escape(object_->first),
      iso_date(object.modified_ms), object.etag, object.size);
}

}  // namespace scripted
