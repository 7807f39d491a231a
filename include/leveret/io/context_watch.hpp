#pragma once

#include "leveret/io/config.hpp"

#include "leveret/core/pod_vector.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/execution/context.hpp>
#include <asio/execution_context.hpp>
#include <asio/query.hpp>

#include <cstddef>
#include <mutex>

namespace leveret::io {

class context_watch;

namespace detail {

/// The watches of one execution context.
class watch_service final : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id;

    explicit watch_service(asio::execution_context& c) : service(c) {}
    void add(context_watch& w)
    {
        const std::lock_guard lock(mutex_);
        watches_.push_back(&w);
    }
    void remove(context_watch& w) noexcept
    {
        const std::lock_guard lock(mutex_);
        watches_.erase(&w);
    }

private:
    void shutdown() override;

    std::mutex mutex_;
    pod_vector<context_watch*> watches_;
};

} // namespace detail

/// Hears when an execution context is destroyed, without being work for it as a pending operation would be. Thread
/// safety: one executor of the context, or none that runs.
class context_watch {
public:
    context_watch() = default;
    context_watch(const context_watch&) = delete;
    context_watch& operator=(const context_watch&) = delete;

    /// Called when it begins to be destroyed: what waits there is still there, and nothing more will run. It is watched
    /// no more then.
    virtual void context_ended() noexcept = 0;

protected:
    ~context_watch() { unwatch(); }
    /// Throws std::bad_alloc.
    void watch(const asio::any_io_executor& executor)
    {
        unwatch();
        asio::execution_context& context = asio::query(executor, asio::execution::context);
        auto& service = asio::use_service<detail::watch_service>(context);
        service.add(*this);
        service_ = &service;
    }
    void unwatch() noexcept
    {
        if (service_ != nullptr)
            service_->remove(*this);
        service_ = nullptr;
    }

private:
    friend class detail::watch_service;
    detail::watch_service* service_ = nullptr;
};

inline void detail::watch_service::shutdown()
{
    for (;;) {
        context_watch* w = nullptr;
        {
            const std::lock_guard lock(mutex_);
            if (watches_.empty())
                return;
            w = watches_.back();
            watches_.pop_back();
        }
        w->service_ = nullptr;
        w->context_ended();
    }
}

} // namespace leveret::io
