#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/escape.hpp"
#include "leveret/transport/memory/detail/hub.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::memory::detail {

class broker_names;

/// A broker that has a name: held by its handles and its open connections, and the name is free again when the last
/// of those is gone.
class named_broker {
public:
    named_broker(std::shared_ptr<broker_names> names, std::string name, std::shared_ptr<hub> home)
        : names_(std::move(names)), name_(std::move(name)), home_(std::move(home))
    {
    }
    named_broker(const named_broker&) = delete;
    named_broker& operator=(const named_broker&) = delete;
    ~named_broker();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const std::shared_ptr<hub>& home() const noexcept { return home_; }

private:
    std::shared_ptr<broker_names> names_; // one that outlives main's statics still finds it
    std::string name_;
    std::shared_ptr<hub> home_;
};
using named_broker_ptr = std::shared_ptr<const named_broker>;

/// The names of the brokers of this process, by which URLs reach them. It keeps none of them alive. Thread safety: any
/// thread, which makes none of the brokers so; asked only where a broker or a connection is made.
class broker_names : public std::enable_shared_from_this<broker_names> {
public:
    static constexpr std::size_t max_length = 255;

    [[nodiscard]] static broker_names& of_process()
    {
        static const std::shared_ptr<broker_names> names = std::make_shared<broker_names>();
        return *names;
    }

    /// Gives a name to a new broker, which `make()` makes. Throws usage_error if the name is taken or can't be one.
    template <class Make>
    [[nodiscard]] named_broker_ptr add(std::string_view name, Make make)
    {
        check(name);
        named_broker_ptr made; // goes, if it must, when the lock is off: its destructor calls `forget`
        const std::lock_guard lock(mutex_);
        const auto at = brokers_.find(name);
        if (at != brokers_.end() && !at->second.expired()) // nothing is held of a broker of another thread
            throw_invalid_argument("memory::broker: there is a broker named '" + escaped(name) +
                                   "' in this process");
        put(made, name, make());
        return made;
    }
    /// The broker of a name, made by `make()` if there is none.
    template <class Make>
    [[nodiscard]] named_broker_ptr find_or_add(std::string_view name, Make make)
    {
        check(name);
        named_broker_ptr found; // as above
        const std::lock_guard lock(mutex_);
        const auto at = brokers_.find(name);
        if (at != brokers_.end())
            found = at->second.lock();
        if (!found)
            put(found, name, make());
        return found;
    }

private:
    friend class named_broker;

    static void check(std::string_view name)
    {
        if (name.empty() || name.size() > max_length)
            throw_invalid_argument("memory::broker: a name has 1 to 255 bytes");
    }
    void put(named_broker_ptr& made, std::string_view name, std::shared_ptr<hub> home)
    {
        made = std::make_shared<const named_broker>(shared_from_this(), std::string(name), std::move(home));
        brokers_.insert_or_assign(made->name(), made);
    }
    void forget(const std::string& name) noexcept
    {
        const std::lock_guard lock(mutex_);
        const auto at = brokers_.find(name);
        if (at != brokers_.end() && at->second.expired()) // or it is another's by now
            brokers_.erase(at);
    }

    std::mutex mutex_;
    std::map<std::string, std::weak_ptr<const named_broker>, std::less<>> brokers_;
};

inline named_broker::~named_broker() { names_->forget(name_); }

} // namespace leveret::memory::detail
