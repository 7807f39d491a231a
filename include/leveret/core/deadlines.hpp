#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/pod_vector.hpp"

#include <cstddef>
#include <utility>

namespace leveret {

/// Something with a deadline. Removes nothing by itself: its owner takes it out of `deadlines` before
/// it goes.
class deadline_node {
public:
    deadline_node() noexcept = default;
    deadline_node(const deadline_node&) = delete;
    deadline_node& operator=(const deadline_node&) = delete;

    [[nodiscard]] bool is_armed() const noexcept { return index_ != none; }
    [[nodiscard]] instant deadline() const noexcept { return at_; }

    /// Called by `deadlines::expire` when the time has come; the node is no longer armed then.
    virtual void expired() = 0;

protected:
    ~deadline_node() { LEVERET_ASSERT(!is_armed()); }

private:
    friend class deadlines;
    static constexpr std::size_t none = static_cast<std::size_t>(-1), in_list = none - 1;
    instant at_ = instant::never();
    std::size_t index_ = none; // in the heap
    deadline_node* previous_ = nullptr;
    deadline_node* next_ = nullptr;
};

/// All deadlines of a connection, or of a broker, behind one timer. Most things have the same time to be done in, so that
/// the deadline that comes last is among the latest: such are in a list that is in order. All others are in a binary heap
/// of nodes that know their place. Arming and disarming cost a logarithm at most and, in the steady state, no allocation.
class deadlines {
public:
    /// Throws std::bad_alloc when the heap must grow and can't. A deadline of `never` is not kept.
    void arm(deadline_node& node, instant at)
    {
        disarm(node);
        node.at_ = at;
        if (at == instant::never() || joins_list(node))
            return;
        heap_.push_back(&node);
        node.index_ = heap_.size() - 1;
        rise(node.index_);
    }
    /// Room for `n` nodes, so that arming as many can't fail. Throws std::bad_alloc.
    void reserve(std::size_t n) { heap_.reserve(n); }
    void disarm(deadline_node& node) noexcept
    {
        if (!node.is_armed())
            return;
        const std::size_t hole = std::exchange(node.index_, deadline_node::none);
        if (hole == deadline_node::in_list) {
            (node.previous_ == nullptr ? first_ : node.previous_->next_) = node.next_;
            (node.next_ == nullptr ? last_ : node.next_->previous_) = node.previous_;
            return;
        }
        deadline_node* last = heap_.back();
        heap_.pop_back();
        if (last == &node)
            return;
        place(hole, last);
        rise(hole);
        sink(last->index_);
    }
    [[nodiscard]] instant next() const noexcept
    {
        const deadline_node* const node = earliest();
        return node == nullptr ? instant::never() : node->at_;
    }
    /// Disarms every node whose time has come and calls its `expired`, earliest first.
    void expire(instant now)
    {
        for (deadline_node* node = earliest(); node != nullptr && node->at_ <= now; node = earliest()) {
            disarm(*node);
            node->expired();
        }
    }

private:
    [[nodiscard]] deadline_node* earliest() const noexcept
    {
        if (heap_.empty())
            return first_;
        return first_ != nullptr && first_->at_ <= heap_.front()->at_ ? first_ : heap_.front();
    }
    /// If no more than a few of the list are later.
    [[nodiscard]] bool joins_list(deadline_node& node) noexcept
    {
        constexpr int max_steps = 4;
        deadline_node* before = last_;
        for (int steps = 0; before != nullptr && before->at_ > node.at_; before = before->previous_)
            if (++steps > max_steps)
                return false;
        node.index_ = deadline_node::in_list;
        node.previous_ = before;
        node.next_ = std::exchange(before == nullptr ? first_ : before->next_, &node);
        (node.next_ == nullptr ? last_ : node.next_->previous_) = &node;
        return true;
    }
    void place(std::size_t i, deadline_node* node) noexcept
    {
        heap_[i] = node;
        node->index_ = i;
    }
    void rise(std::size_t i) noexcept
    {
        while (i > 0) {
            const std::size_t parent = (i - 1) / 2;
            if (heap_[parent]->at_ <= heap_[i]->at_)
                return;
            exchange(i, parent);
            i = parent;
        }
    }
    void sink(std::size_t i) noexcept
    {
        for (;;) {
            std::size_t least = i;
            for (std::size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap_.size(); ++child)
                if (heap_[child]->at_ < heap_[least]->at_)
                    least = child;
            if (least == i)
                return;
            exchange(i, least);
            i = least;
        }
    }
    void exchange(std::size_t a, std::size_t b) noexcept
    {
        deadline_node* node = heap_[a];
        place(a, heap_[b]);
        place(b, node);
    }

    pod_vector<deadline_node*> heap_;
    deadline_node* first_ = nullptr; // of the list
    deadline_node* last_ = nullptr;
};

} // namespace leveret
