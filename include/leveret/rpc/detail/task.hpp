#pragma once

#include "leveret/core/deadlines.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/local_ptr.hpp"
#include "leveret/rpc/detail/handler.hpp"
#include "leveret/rpc/request.hpp"

#include <asio/cancellation_signal.hpp>
#include <asio/cancellation_type.hpp>

#include <optional>
#include <utility>

namespace leveret::rpc::detail {

/// What a task asks of its server.
class task_owner {
public:
    virtual void say_at_work(const request& r) noexcept = 0;
    [[nodiscard]] virtual instant time() const noexcept = 0;
    virtual void set(deadline_node& node, instant at) = 0;
    virtual void unset(deadline_node& node) noexcept = 0;

protected:
    ~task_owner() = default;
};

class task_list;

/// A handler that is a coroutine, at work. Held by its coroutine and by what is to be done at its end.
template <class Delivery>
class task;

class task_base : public local_counted {
public:
    task_base(task_owner& o, task_list& list, request r, handler& h);
    task_base(const task_base&) = delete;
    task_base& operator=(const task_base&) = delete;

    /// Nobody waits for the answer any more.
    void give_up()
    {
        has_given_up = true;
        signal.emit(asio::cancellation_type::terminal);
    }
    /// Cancels it at `deadline`, and says every `interval` that it is at work.
    void watch(instant deadline, duration interval)
    {
        owner_.set(end_, deadline);
        interval_ = interval;
        if (!interval.is_never())
            owner_.set(beat_, owner_.time() + interval);
    }
    void unwatch() noexcept
    {
        owner_.unset(end_);
        owner_.unset(beat_);
    }

    request asked;
    handler& method;
    asio::cancellation_signal signal;
    bool has_given_up = false;
    bool is_abandoned = false; ///< the server can't answer: another is to do it

protected:
    ~task_base();

private:
    friend class task_list;
    struct end_node final : deadline_node {
        explicit end_node(task_base& t) noexcept : of(t) {}
        void expired() override { of.give_up(); }
        task_base& of;
    };
    struct beat_node final : deadline_node {
        explicit beat_node(task_base& t) noexcept : of(t) {}
        void expired() override
        {
            of.owner_.say_at_work(of.asked);
            of.owner_.set(*this, of.owner_.time() + of.interval_);
        }
        task_base& of;
    };

    task_owner& owner_;
    task_list& list_;
    end_node end_{*this};
    beat_node beat_{*this};
    duration interval_ = duration::never();
    task_base *previous_ = nullptr, *next_ = nullptr;
};

/// All that are at work.
class task_list {
public:
    /// Cancels all: nobody can be answered.
    void abandon_all()
    {
        for (task_base* t = first_; t != nullptr;) {
            task_base* const next = t->next_; // its coroutine ends later: what it waits for posts
            t->is_abandoned = true;
            t->give_up();
            t = next;
        }
    }

private:
    friend class task_base;
    task_base* first_ = nullptr;
};

inline task_base::task_base(task_owner& o, task_list& list, request r, handler& h)
    : asked(std::move(r)), method(h), owner_(o), list_(list), next_(list.first_)
{
    if (next_ != nullptr)
        next_->previous_ = this;
    list.first_ = this;
}
inline task_base::~task_base()
{
    unwatch();
    (previous_ == nullptr ? list_.first_ : previous_->next_) = next_;
    if (next_ != nullptr)
        next_->previous_ = previous_;
}

template <class Delivery>
class task final : public task_base {
public:
    using task_base::task_base;
    std::optional<Delivery> delivery; ///< if it is acknowledged after the answer
};

} // namespace leveret::rpc::detail
