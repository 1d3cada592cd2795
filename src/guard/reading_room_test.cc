#include "guard/reading_room.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>

namespace pawl::guard {
namespace {

class StoppedClock final : public Clock {
 public:
  Instant now() override { return {}; }
  MonotonicInstant monotonic() override { return {}; }
  std::unique_ptr<Alarm> make_alarm() override { return nullptr; }
};

// Waits until it is rung.
class Bell final : public Alarm {
 public:
  void ring() override { rung_ = true; }
  Awaitable<Woken> wait_until(MonotonicInstant /*deadline*/) override {
    while (!rung_) co_await boost::asio::post(boost::asio::use_awaitable);
    rung_ = false;
    co_return Woken::kRung;
  }

 private:
  bool rung_ = false;
};

struct Guest {
  Bell bell;
  ReadingRoom::Seat seat;
  bool gives_up = false;
  bool done = false;
};

struct House {
  StoppedClock clock;
  boost::asio::io_context context;
  ReadingRoom room{clock, 2};
  Guest guests[5];

  static Awaitable<void> come(ReadingRoom& room, Guest& guest) {
    auto seat = co_await room.take(guest.bell, [&guest] { return guest.gives_up; });
    guest.seat = std::move(seat);
    guest.done = true;
  }
  void come(std::size_t who) {
    boost::asio::co_spawn(context, come(room, guests[who]), boost::asio::detached);
    settle();
  }
  void settle() {
    context.restart();
    for (int turn = 0; turn < 100; ++turn) context.poll_one();
  }
  // One letter a guest: seated, waiting or left.
  std::string picture() {
    std::string text;
    for (const auto& guest : guests) text += guest.seat ? 's' : guest.done ? 'l' : 'w';
    return text;
  }
};

TEST(ReadingRoom, SeatsGoToWhoHasWaitedLongest) {
  House house;
  for (std::size_t who = 0; who < 5; ++who) house.come(who);
  EXPECT_EQ(house.picture(), "sswww");
  EXPECT_EQ(house.room.waiting(), 3U);
  house.guests[1].seat = {};
  house.settle();
  EXPECT_EQ(house.picture(), "slsww");
  house.guests[3].gives_up = true;
  house.guests[3].bell.ring();
  house.settle();
  EXPECT_EQ(house.picture(), "slslw");
  house.guests[0].seat = {};
  house.guests[2].seat = {};
  house.settle();
  EXPECT_EQ(house.picture(), "lllls");
  house.guests[4].seat = {};
  EXPECT_EQ(house.room.waiting(), 0U);
  house.come(0);
  house.come(1);
  EXPECT_EQ(house.picture(), "sslll");
}

// Given a seat and about to leave at once: the seat is taken, and given up with it.
TEST(ReadingRoom, ASeatThatComesTooLateIsNotLost) {
  House house;
  for (std::size_t who = 0; who < 3; ++who) house.come(who);
  house.guests[2].gives_up = true;
  house.guests[0].seat = {};
  house.settle();
  EXPECT_EQ(house.picture().substr(0, 3), "lss");
  house.guests[2].seat = {};
  house.come(3);
  EXPECT_EQ(house.picture().substr(0, 4), "lsls");
}

}  // namespace
}  // namespace pawl::guard
