#include "adapter/request_window.h"

#include <gtest/gtest.h>

namespace pawl {
namespace {

TEST(RequestWindow, GrowsByOneAWindowAndNotBeyondItsBound) {
  RequestWindow window;
  for (std::size_t i = 0; i < RequestWindow::kFirst; ++i) {
    EXPECT_EQ(window.size(), RequestWindow::kFirst);
    window.taken();
  }
  EXPECT_EQ(window.size(), RequestWindow::kFirst + 1);
  for (int i = 0; i < 100'000; ++i) window.taken();
  EXPECT_EQ(window.size(), RequestWindow::kMost);
}

TEST(RequestWindow, HalvesOnceForWhatWasUnderWay) {
  RequestWindow window;
  for (int i = 0; i < 16; ++i) window.slow_down();
  EXPECT_EQ(window.size(), 8U);
  window.slow_down();
  EXPECT_EQ(window.size(), 8U);  // the sixteenth that was under way
  window.slow_down();
  EXPECT_EQ(window.size(), 4U);
  for (int i = 0; i < 1000; ++i) window.slow_down();
  EXPECT_EQ(window.size(), 1U);
  window.taken();
  window.taken();
  EXPECT_GT(window.size(), 1U);
}

}  // namespace
}  // namespace pawl
