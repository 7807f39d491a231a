#pragma once

#include "leveret/core/field_text.hpp"
#include "leveret/core/hash_index.hpp"
#include "leveret/core/text_hash.hpp"
#include "leveret/routing/policy.hpp"
#include "leveret/routing/stable_buckets.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace leveret {

namespace routing {

/// Every message goes to one target, by a hash of its routing key, of a header or of a property: the same value
/// to the same target, and to each target a part of the values in proportion to its weight, which is the
/// binding's key. When a binding comes, values move to its target only; when one goes, only the values that it
/// had.
///
/// A target has one weight: that of the binding that came first of those that are there. Messages without the
/// header or property all go to one target. Source: RabbitMQ's plugin rabbitmq_consistent_hash_exchange, with
/// another hash.
class consistent_hash_router {
public:
    static constexpr std::uint32_t most_weight = 10'000;
    /// Weights of all bindings together; a bucket has 16 bytes. Those that are not heard, since their target has
    /// another binding, count: they may be heard later, when nobody can be refused.
    static constexpr std::size_t most_buckets = 1'000'000;

    consistent_hash_router() = default;
    explicit consistent_hash_router(const router_context& c)
    {
        if (const auto* header = c.arguments.find_as<std::string>("hash-header")) {
            what_ = hashed::header;
            header_ = *header;
        } else if (const auto* name = c.arguments.find_as<std::string>("hash-property")) {
            what_ = property_named(*name);
        }
    }
    consistent_hash_router(const consistent_hash_router&) = delete;
    consistent_hash_router& operator=(const consistent_hash_router&) = delete;
    ~consistent_hash_router()
    {
        members_.for_each([](member& m) {
            while (m.first != nullptr)
                delete std::exchange(m.first, m.first->next);
            delete &m;
        });
    }

    void add(std::string_view key, const table&, binding& b)
    {
        auto fresh = std::make_unique<claim>();
        fresh->weight = weight_of(key);
        const std::uint64_t hash = hash_of_target(b.target);
        member* m =
            members_.find(hash, [&b](const member& known) { return known.target == b.target; });
        if (m == nullptr) {
            auto made = std::make_unique<member>();
            made->target = b.target;
            grow(*made, fresh->weight);
            try {
                members_.insert(hash, made.get());
            } catch (...) {
                shrink(*made, 0);
                throw;
            }
            m = made.release();
        }
        fresh->of = m;
        fresh->previous = m->last;
        (m->last == nullptr ? m->first : m->last->next) = fresh.get();
        m->last = fresh.get();
        claimed_ += fresh->weight;
        b.place = fresh.release();
    }
    void remove(std::string_view, const table&, binding& b) noexcept
    {
        const std::unique_ptr<claim> gone(static_cast<claim*>(b.place));
        member* m = gone->of;
        claimed_ -= gone->weight;
        const bool counted = m->first == gone.get();
        (gone->previous == nullptr ? m->first : gone->previous->next) = gone->next;
        (gone->next == nullptr ? m->last : gone->next->previous) = gone->previous;
        if (m->first == nullptr) {
            shrink(*m, 0);
            members_.erase(hash_of_target(m->target), m);
            delete m;
        } else if (counted) {
            shrink(*m, m->first->weight);
            try {
                grow(*m, m->first->weight);
            } catch (const std::bad_alloc&) { // it stays lighter than it should be
            }
        }
    }
    /// Once for a message, by its first key.
    template <class Visit>
    void route(const message_view& m, Visit&& visit) const
    {
        if (!buckets_.empty())
            visit(buckets_.find(hash_of(m))->target);
    }

    /// Why these weights together are too many.
    [[nodiscard]] std::string refusal(std::string_view key, const table&) const
    {
        if (claimed_ + weight_of(key) <= most_buckets)
            return {};
        return "The weights of all bindings must not exceed " + std::to_string(most_buckets);
    }

    /// A positive number in decimal digits; 0 for what is none, `most_weight` + 1 for what is more.
    [[nodiscard]] static std::uint32_t weight_of(std::string_view key) noexcept
    {
        std::uint32_t n = 0;
        for (const char c : key.substr(key.starts_with('+') ? 1 : 0))
            n = n > most_weight ? n : n * 10 + static_cast<std::uint32_t>(c - '0');
        return n > most_weight ? most_weight + 1 : n;
    }

private:
    struct member;
    /// A binding's wish for a weight: the first one's of a target is heard.
    struct claim {
        member* of = nullptr;
        claim* next = nullptr;
        claim* previous = nullptr;
        std::uint32_t weight = 0;
    };
    struct member {
        void* target = nullptr;
        claim* first = nullptr;
        claim* last = nullptr;
        std::uint32_t buckets = stable_buckets<member>::none;
        std::uint32_t weight = 0;
    };
    enum class hashed : std::uint8_t { routing_key, header, correlation_id, message_id, timestamp };

    void grow(member& m, std::uint32_t weight)
    {
        const std::uint32_t before = m.weight;
        try {
            for (; m.weight < weight; ++m.weight)
                buckets_.add(&m, m.buckets);
        } catch (...) {
            shrink(m, before);
            throw;
        }
    }
    void shrink(member& m, std::uint32_t weight) noexcept
    {
        for (; m.weight > weight; --m.weight)
            buckets_.remove_first(m.buckets);
    }

    [[nodiscard]] static std::uint64_t hash_of_target(const void* target) noexcept
    {
        return mix(reinterpret_cast<std::uintptr_t>(target) | 1U, 0x9e3779b97f4a7c15U);
    }
    [[nodiscard]] static hashed property_named(std::string_view name) noexcept
    {
        return name == "correlation_id" ? hashed::correlation_id
               : name == "message_id"   ? hashed::message_id
                                        : hashed::timestamp;
    }
    // Without a seed: a value stays with its target when the broker starts again.
    [[nodiscard]] std::uint64_t hash_of(const message_view& m) const noexcept
    {
        switch (what_) {
        case hashed::routing_key: return text_hash(m.routing_key);
        case hashed::header: {
            const field_value* v = m.headers().find(header_);
            return v == nullptr ? 0 : hash_of(*v);
        }
        case hashed::correlation_id: return text_hash(m.properties.correlation_id());
        case hashed::message_id: return text_hash(m.properties.message_id());
        case hashed::timestamp: break;
        }
        return hash_of(m.properties.timestamp().seconds);
    }
    [[nodiscard]] static std::uint64_t hash_of(std::uint64_t n) noexcept
    {
        return mix(n ^ 0x8d2f4b6917c3a5e1U, n ^ 0x589965cc75374cc3U);
    }
    /// Equal numbers of all integer types hash equally, and so do texts and bytes.
    [[nodiscard]] static std::uint64_t hash_of(const field_value& v) noexcept
    {
        if (is_integer(v.type()))
            return hash_of(static_cast<std::uint64_t>(v.integer()));
        const std::uint64_t type = static_cast<unsigned char>(v.type());
        switch (v.type()) {
        case field_type::string:
        case field_type::bytes: return text_hash(v.text());
        case field_type::boolean: return hash_of(type << 8U | (*v.as<bool>() ? 1U : 0U));
        case field_type::timestamp: return hash_of(v.as<timestamp>()->seconds);
        case field_type::float32:
            return hash_of(std::bit_cast<std::uint64_t>(double{*v.as<float>()}));
        case field_type::float64: return hash_of(std::bit_cast<std::uint64_t>(*v.as<double>()));
        case field_type::decimal: {
            const auto* d = v.as<decimal>();
            return hash_of(std::uint64_t{d->scale} << 32U | static_cast<std::uint32_t>(d->value));
        }
        case field_type::array: {
            std::uint64_t h = type;
            for (const field_value& item : *v.as<field_array>())
                h = mix(h ^ 0xa0761d6478bd642fU, hash_of(item) | 1U);
            return h;
        }
        case field_type::table: {
            std::uint64_t h = type;
            for (const auto& [name, value] : *v.as<table>())
                h = text_hash(name, mix(h ^ 0xa0761d6478bd642fU, hash_of(value) | 1U));
            return h;
        }
        default: return hash_of(type);
        }
    }

    hashed what_ = hashed::routing_key;
    std::string header_;
    stable_buckets<member> buckets_;
    hash_index<member> members_;
    std::size_t claimed_ = 0; // the weights of all claims
};

} // namespace routing

/// RabbitMQ's exchange of the plugin rabbitmq_consistent_hash_exchange. A binding's key is its weight, 1 to
/// 10,000. The exchange's arguments say what is hashed if not the routing key: "hash-header", a header's name,
/// or "hash-property", one of correlation_id, message_id and timestamp.
struct consistent_hash {
    static constexpr std::string_view name = "x-consistent-hash";
    using router = routing::consistent_hash_router;

    [[nodiscard]] static std::string refusal(std::string_view key, const table&)
    {
        const std::string_view digits =
            key.substr(key.starts_with('+') || key.starts_with('-') ? 1 : 0);
        if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos)
            return key.empty()
                       ? "The binding key must be an integer: <<>>"
                       : "The binding key must be an integer: <<\"" + std::string(key) + "\">>";
        if (key.starts_with('-') || router::weight_of(key) == 0)
            return "The binding key must be greater than 0";
        if (router::weight_of(key) > router::most_weight)
            return "The binding key must not exceed " + std::to_string(router::most_weight);
        return {};
    }
    [[nodiscard]] static std::string exchange_refusal(const table& arguments)
    {
        const field_value* header = arguments.find("hash-header");
        const field_value* property = arguments.find("hash-property");
        for (const field_value* v : {header, property})
            if (v != nullptr && v->type() != field_type::string)
                return "invalid type '" + std::string(type_name(v->type())) + "' for arg '" +
                       (v == header ? "hash-header" : "hash-property") + "'";
        if (header != nullptr && property != nullptr)
            return "hash-header and hash-property are mutually exclusive";
        if (property != nullptr && property->text() != "correlation_id" &&
            property->text() != "message_id" && property->text() != "timestamp")
            return "Unsupported property: " + std::string(property->text());
        return {};
    }
};

} // namespace leveret
