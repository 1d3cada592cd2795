#include "expression/reserved_words.h"

#include <gtest/gtest.h>

namespace pawl::expression {
namespace {

TEST(ReservedWords, AreFoundInAnyCase) {
  for (const auto* word :
       {"ABORT", "name", "Status", "zOnE", "CURRENT", "VARCHAR", "SQLEXCEPTION"}) {
    EXPECT_TRUE(is_reserved_word(word)) << word;
  }
}

TEST(ReservedWords, AreWholeWords) {
  for (const auto* word : {"", "A", "names_", "named", "_version", "hashid", "points", "zon",
                           "zonee", "#name", "a_very_long_word_that_is_none"}) {
    EXPECT_FALSE(is_reserved_word(word)) << word;
  }
}

}  // namespace
}  // namespace pawl::expression
