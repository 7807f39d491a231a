#pragma once

#include "leveret/core/error.hpp"
#include "leveret/server/access.hpp"
#include "leveret/server/name_pattern.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::broker {

/// The user guest with the password guest, who may do everything and comes from loopback only, as with a fresh
/// RabbitMQ.
class guest_access final : public access_control {
public:
    [[nodiscard]] bool can_log_in(std::string_view user, std::string_view password,
                                  bool from_loopback) override
    {
        return from_loopback && user == "guest" && password == "guest";
    }
    [[nodiscard]] bool can_enter(std::string_view, std::string_view) override { return true; }
    [[nodiscard]] bool is_allowed(std::string_view, std::string_view, permission,
                                  std::string_view) override
    {
        return true;
    }
    [[nodiscard]] std::uint64_t generation() const noexcept override { return 0; }
};

/// Compares in a time that tells the length of `given` alone.
[[nodiscard]] inline bool same_secret(std::string_view given, std::string_view stored) noexcept
{
    unsigned difference = given.size() == stored.size() ? 0U : 1U;
    for (std::size_t i = 0; i < given.size(); ++i)
        difference |= static_cast<unsigned char>(given[i]) ^
                      static_cast<unsigned char>(stored.empty() ? '\0' : stored[i % stored.size()]);
    return difference == 0;
}

/// Users in memory, with permissions for each virtual host by regular expressions on names.
///
///     lv::broker::users users;
///     users.add("sensor", "secret").permit("sensor", "/", "", "^readings$", "");
///     lv::broker::server server{executor, {.access = &users}};
///
/// May change while a server runs, on the server's executor: sessions ask again. A user that is removed may ask for
/// nothing more; its connections end with server::close_connections_of. Not thread-safe.
class users final : public access_control {
public:
    /// Whether a password is the one that was stored. Passwords as they are unless told otherwise; for hashes there is
    /// verify_password in <leveret/tls/password_hash.hpp>.
    using verify = bool (*)(std::string_view given, std::string_view stored);

    explicit users(verify how = &same_secret) noexcept : verify_(how) {}

    /// A user, or another password for one. `stored` is what `verify` compares with.
    users& add(std::string_view name, std::string_view stored)
    {
        entry* e = find(name);
        if (e == nullptr)
            e = &entries_.emplace_back();
        e->name = name;
        e->stored = stored;
        ++generation_;
        return *this;
    }
    /// Lets a user in from this machine only.
    users& loopback_only(std::string_view name)
    {
        known(name).from_anywhere = false;
        return *this;
    }
    /// What a user may do in a virtual host: see name_pattern. Throws usage_error for a user that is not there,
    /// or a pattern that is none.
    users& permit(std::string_view name, std::string_view virtual_host, std::string_view configure,
                  std::string_view write, std::string_view read)
    {
        entry& e = known(name);
        std::erase_if(e.grants, [&](const grant& g) { return g.virtual_host == virtual_host; });
        grant g;
        g.virtual_host = virtual_host;
        g.patterns[static_cast<std::size_t>(permission::configure)] = name_pattern(configure);
        g.patterns[static_cast<std::size_t>(permission::write)] = name_pattern(write);
        g.patterns[static_cast<std::size_t>(permission::read)] = name_pattern(read);
        e.grants.push_back(std::move(g));
        ++generation_;
        return *this;
    }
    void remove(std::string_view name)
    {
        std::erase_if(entries_, [&](const entry& e) { return e.name == name; });
        ++generation_;
    }

    [[nodiscard]] bool can_log_in(std::string_view user, std::string_view password,
                                  bool from_loopback) override
    {
        const entry* e = find(user);
        if (e == nullptr) { // as long as for one that is there
            if (!entries_.empty())
                static_cast<void>(verify_(password, entries_.front().stored));
            return false;
        }
        const bool is_right = verify_(password, e->stored);
        // No blank passwords, as in RabbitMQ: such a user logs in by certificate or not at all.
        return is_right && !password.empty() && (from_loopback || e->from_anywhere);
    }
    [[nodiscard]] bool can_log_in_by_certificate(std::string_view user, bool from_loopback) override
    {
        const entry* e = find(user);
        return e != nullptr && (from_loopback || e->from_anywhere);
    }
    [[nodiscard]] bool can_enter(std::string_view user, std::string_view virtual_host) override
    {
        return grant_of(user, virtual_host) != nullptr;
    }
    [[nodiscard]] bool is_allowed(std::string_view user, std::string_view virtual_host,
                                  permission p, std::string_view name) override
    {
        const grant* g = grant_of(user, virtual_host);
        return g != nullptr && g->patterns[static_cast<std::size_t>(p)].matches(name);
    }
    [[nodiscard]] std::uint64_t generation() const noexcept override { return generation_; }

private:
    struct grant {
        std::string virtual_host;
        name_pattern patterns[3];
    };
    struct entry {
        std::string name;
        std::string stored;
        bool from_anywhere = true;
        std::vector<grant> grants;
    };

    [[nodiscard]] entry* find(std::string_view name) noexcept
    {
        const auto at = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const entry& e) { return e.name == name; });
        return at == entries_.end() ? nullptr : &*at;
    }
    [[nodiscard]] entry& known(std::string_view name)
    {
        entry* e = find(name);
        if (e == nullptr)
            throw usage_error(make_error_code(errc::invalid_argument),
                              "no user '" + std::string(name) + "'");
        return *e;
    }
    [[nodiscard]] const grant* grant_of(std::string_view user,
                                        std::string_view virtual_host) noexcept
    {
        const entry* e = find(user);
        if (e == nullptr)
            return nullptr;
        for (const grant& g : e->grants)
            if (g.virtual_host == virtual_host)
                return &g;
        return nullptr;
    }

    verify verify_;
    std::vector<entry> entries_;
    std::uint64_t generation_ = 1;
};

} // namespace leveret::broker
