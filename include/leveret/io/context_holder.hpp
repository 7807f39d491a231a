#pragma once

#include <utility>

namespace leveret::io {

/// Holds an owner, by a smart pointer, in a handler. A handler that is destroyed without having run tells that
/// the execution context is going away, and with it everything that waits there: then `abandoned()` is called.
template <class Pointer>
class context_holder {
public:
    explicit context_holder(Pointer owner) noexcept : owner_(std::move(owner)) {}
    template <class T>
    explicit context_holder(T* owner) noexcept : owner_(owner)
    {
    }
    context_holder(context_holder&&) noexcept = default;
    context_holder(const context_holder&) = delete;
    context_holder& operator=(const context_holder&) = delete;
    context_holder& operator=(context_holder&&) = delete;
    ~context_holder()
    {
        if (owner_)
            owner_->abandoned();
    }
    /// The handler runs.
    [[nodiscard]] Pointer take() noexcept { return std::move(owner_); }

private:
    Pointer owner_;
};

} // namespace leveret::io
