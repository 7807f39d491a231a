#pragma once

#include <utility>

namespace leveret {

/// First in, first out, of nodes that have a `T* next` and belong to somebody else: nothing is allocated.
template <class T>
class linked_queue {
public:
    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    void push(T* node) noexcept
    {
        node->next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = node;
        last_ = node;
    }
    /// The first. There must be one.
    [[nodiscard]] T* pop() noexcept { return std::exchange(first_, first_->next); }

private:
    T* first_ = nullptr;
    T* last_ = nullptr;
};

} // namespace leveret
