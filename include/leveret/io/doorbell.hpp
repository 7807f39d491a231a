#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/assert.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/execution/blocking.hpp>
#include <asio/require.hpp>
#include <asio/use_awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>
#include <type_traits>
#include <utility>

namespace leveret::io {

/// Why a wait ended.
enum class wake : std::uint8_t { rung, timed_out, cancelled };

class doorbell;

/// All waits of one connection, so that they can be ended together, and so that coroutines that wait
/// when an execution context is destroyed are destroyed with it.
class wait_list {
public:
    wait_list() = default;
    wait_list(const wait_list&) = delete;
    wait_list& operator=(const wait_list&) = delete;
    ~wait_list() { destroy_all(); }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    /// Wakes everyone who waits.
    void ring_all() noexcept;
    /// Destroys the waiting coroutines without resuming them.
    void destroy_all() noexcept;

private:
    friend class doorbell;
    doorbell* first_ = nullptr;
};

/// Lets one coroutine wait for something that happens elsewhere on the same executor. It carries no
/// data: what was waited for lies in a queue or a flag of the owner, is looked at before waiting and
/// again after, and so can't be lost when a wait loses a race. Ringing without a waiter does nothing.
///
/// Lives in the frame of the coroutine that waits. Not thread-safe: one executor.
class doorbell {
public:
    explicit doorbell(wait_list& list) noexcept : list_(&list) {}
    doorbell(const doorbell&) = delete;
    doorbell& operator=(const doorbell&) = delete;
    ~doorbell()
    {
        if (waiter_ != nullptr) {
            unlink();
            waiter_->destroy();
        }
    }

    [[nodiscard]] bool is_waiting() const noexcept { return waiter_ != nullptr; }

    /// Suspends until `ring` or until the coroutine is cancelled, and says which. Costs a post when
    /// rung; allocates nothing beyond what Asio recycles.
    [[nodiscard]] asio::awaitable<wake> wait()
    {
        return asio::async_initiate<const asio::use_awaitable_t<>, void(wake)>(
            [this](auto&& handler) { start(std::move(handler)); }, asio::use_awaitable);
    }

    /// Wakes the waiter, by a post to its executor.
    void ring(wake how = wake::rung) noexcept
    {
        if (waiter_ == nullptr)
            return;
        unlink();
        std::exchange(waiter_, nullptr)->fire(how, nullptr);
    }
    /// The same for a caller on `executor` that has nothing more to do and holds on to nothing: the waiter is resumed
    /// before this returns if its executor allows it, and may destroy this. What then throws is rethrown from the execution
    /// context.
    void ring_here(const asio::any_io_executor& executor) noexcept
    {
        if (waiter_ == nullptr)
            return;
        unlink();
        std::exchange(waiter_, nullptr)->fire(wake::rung, &executor);
    }

private:
    friend class wait_list;

    struct waiter {
        /// Resumes at once if it can and the caller says on which executor it is.
        virtual void fire(wake how, const asio::any_io_executor* here) = 0;
        virtual void destroy() noexcept = 0;

    protected:
        ~waiter() = default;
    };

    template <class Handler>
    struct waiter_of final : waiter {
        explicit waiter_of(Handler&& h) : handler(std::move(h)) {}

        void fire(wake how, const asio::any_io_executor* here) override
        {
            // The handler owns the frame that this object lies in: take it out before it runs.
            Handler h(std::move(handler));
            this->~waiter_of();
            auto slot = asio::get_associated_cancellation_slot(h);
            if (slot.is_connected())
                slot.clear();
            // asio::post and asio::dispatch do the same with more copies of the executor.
            const asio::any_io_executor executor = asio::get_associated_executor(h);
            if (here == nullptr) {
                asio::require(executor, asio::execution::blocking.never).execute([h = std::move(h), how]() mutable {
                    std::move(h)(how);
                });
                return;
            }
            try {
                if (executor == *here)
                    std::move(h)(how);
                else
                    executor.execute([h = std::move(h), how]() mutable { std::move(h)(how); });
            } catch (...) { // io_context's execute keeps it, a strand's does not
                asio::require(executor, asio::execution::blocking.never).execute([e = std::current_exception()] {
                    std::rethrow_exception(e);
                });
            }
        }
        void destroy() noexcept override
        {
            Handler h(std::move(handler));
            this->~waiter_of();
        }

        Handler handler;
    };

    template <class Handler>
    void start(Handler&& handler)
    {
        static_assert(!std::is_reference_v<Handler>);
        using impl = waiter_of<Handler>;
        static_assert(sizeof(impl) <= sizeof(storage_), "enlarge doorbell's storage");
        LEVERET_ASSERT(waiter_ == nullptr && "a doorbell has one waiter");
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected())
            slot.assign([this](asio::cancellation_type) { ring(wake::cancelled); });
        waiter_ = ::new (static_cast<void*>(storage_)) impl(std::move(handler));
        next_ = list_->first_;
        if (next_ != nullptr)
            next_->previous_ = this;
        list_->first_ = this;
    }
    void unlink() noexcept
    {
        (previous_ == nullptr ? list_->first_ : previous_->next_) = next_;
        if (next_ != nullptr)
            next_->previous_ = previous_;
        previous_ = next_ = nullptr;
    }

    wait_list* list_;
    waiter* waiter_ = nullptr;
    doorbell* previous_ = nullptr;
    doorbell* next_ = nullptr;
    alignas(std::max_align_t) unsigned char storage_[96];
};

inline void wait_list::ring_all() noexcept
{
    while (first_ != nullptr)
        first_->ring();
}

inline void wait_list::destroy_all() noexcept
{
    while (doorbell* bell = first_) {
        bell->unlink();
        std::exchange(bell->waiter_, nullptr)->destroy();
    }
}

} // namespace leveret::io
