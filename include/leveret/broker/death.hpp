#pragma once

#include "leveret/broker/state.hpp"
#include "leveret/core/properties.hpp"
#include "leveret/core/table.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

// What dead-lettering writes into a message, as RabbitMQ 3.10 does (rabbit_dead_letter).
namespace leveret::broker::detail {

[[nodiscard]] inline std::string_view text_in(const table& t, std::string_view key) noexcept
{
    const field_value* v = t.find(key);
    return v == nullptr ? std::string_view() : v->text();
}

/// The routing keys in a header of a message, CC or BCC: the texts of an array.
template <class Visit>
void for_each_key(const table& headers, std::string_view header, Visit&& visit)
{
    const field_value* v = headers.find(header);
    const field_array* keys = v == nullptr ? nullptr : v->as<field_array>();
    if (keys == nullptr)
        return;
    for (const field_value& key : *keys)
        if (key.type() == field_type::string)
            visit(key.text());
}

/// Adds a death to x-death, newest first; deaths of one queue for one reason are one entry, counted.
inline void record_death(properties& p, const stored_message& m, std::string_view queue,
                         death_reason why, std::uint64_t unix_time)
{
    const std::string_view reason = name(why);
    field_array deaths;
    bool is_first = true;
    if (const field_value* before = p.headers().find("x-death")) {
        is_first = false;
        if (const auto* list = before->as<field_array>())
            deaths = *list;
    }
    table death;
    std::int64_t count = 1;
    for (auto at = deaths.begin(); at != deaths.end(); ++at) {
        const table* known = at->as<table>();
        if (known == nullptr || text_in(*known, "queue") != queue ||
            text_in(*known, "reason") != reason)
            continue;
        death = *known;
        if (const field_value* n = known->find("count"))
            count = std::clamp(n->integer(), std::int64_t{0}, std::numeric_limits<std::int64_t>::max() - 1) + 1;
        deaths.erase(at);
        break;
    }
    if (death.empty()) {
        field_array keys{field_value(m.routing_key())};
        for_each_key(p.headers(), "CC", [&keys](std::string_view key) { keys.emplace_back(key); });
        death = table{{"count", count},
                      {"reason", reason},
                      {"queue", queue},
                      {"time", timestamp{unix_time}},
                      {"exchange", m.exchange()},
                      {"routing-keys", std::move(keys)}};
        if (p.has(property::expiration))
            death.set("original-expiration", p.expiration());
    }
    death.set("count", count);
    deaths.insert(deaths.begin(), field_value(std::move(death)));
    if (is_first) {
        p.header("x-first-death-reason", reason);
        p.header("x-first-death-queue", queue);
        p.header("x-first-death-exchange", m.exchange());
    }
    p.header("x-death", field_value(std::move(deaths)));
}

/// Whether a message that died, and not by a client's rejection, was in this queue before without a client
/// having rejected it since: then it would go round for ever.
[[nodiscard]] inline bool is_death_cycle(const table& headers, std::string_view queue) noexcept
{
    const auto* deaths = headers.find_as<field_array>("x-death");
    if (deaths == nullptr)
        return false;
    for (const field_value& entry : *deaths) {
        const table* death = entry.as<table>();
        if (death == nullptr || text_in(*death, "reason") == name(death_reason::rejected))
            return false;
        if (text_in(*death, "queue") == queue)
            return true;
    }
    return false;
}

} // namespace leveret::broker::detail
