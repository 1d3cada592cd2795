// A callable without arguments that can only be moved: std::move_only_function is C++23.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace pawl {

// Called at most once. Destroying it without a call destroys the callable, and with it the coroutine it holds.
class UniqueHandler {
 public:
  UniqueHandler() = default;
  template <typename Callable>
  // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): what the check asks for is said by `requires`
  requires(!std::is_same_v<std::decay_t<Callable>, UniqueHandler>) explicit UniqueHandler(
      Callable&& callable)
      : holder_(
            std::make_unique<Holder<std::decay_t<Callable>>>(std::forward<Callable>(callable))) {}

  void operator()() { std::exchange(holder_, nullptr)->call(); }

 private:
  struct Base {
    virtual ~Base() = default;
    virtual void call() = 0;
  };
  template <typename Callable>
  struct Holder final : Base {
    explicit Holder(Callable&& c) : callable(std::move(c)) {}
    explicit Holder(const Callable& c) : callable(c) {}
    void call() override { std::move(callable)(); }
    Callable callable;
  };
  std::unique_ptr<Base> holder_;
};

}  // namespace pawl
