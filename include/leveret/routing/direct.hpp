#pragma once

#include "leveret/core/hash_index.hpp"
#include "leveret/core/text_hash.hpp"
#include "leveret/routing/policy.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace leveret {

namespace routing {

/// A binding matches if its key is the routing key.
class direct_router {
public:
    direct_router() = default;
    explicit direct_router(const router_context& c) noexcept : seed_(c.seed) {}
    direct_router(const direct_router&) = delete;
    direct_router& operator=(const direct_router&) = delete;
    ~direct_router()
    {
        keys_.for_each([](bound_key& k) { delete &k; });
    }

    void add(std::string_view key, const table&, binding& b)
    {
        const std::uint64_t hash = text_hash(key, seed_);
        bound_key* node = find(hash, key);
        if (node != nullptr) {
            node->targets.add(b);
        } else {
            auto fresh = std::make_unique<bound_key>();
            fresh->key = key;
            fresh->hash = hash;
            fresh->targets.add(b);
            keys_.insert(hash, fresh.get());
            node = fresh.release();
        }
        b.place = node;
    }
    void remove(std::string_view, const table&, binding& b) noexcept
    {
        auto* node = static_cast<bound_key*>(b.place);
        node->targets.remove(b);
        if (!node->targets.empty())
            return;
        keys_.erase(node->hash, node);
        delete node;
    }
    template <class Visit>
    void route(std::string_view key, const table&, Visit&& visit) const
    {
        if (const bound_key* node = find(text_hash(key, seed_), key))
            node->targets.visit(visit);
    }

private:
    struct bound_key {
        std::string key;
        std::uint64_t hash = 0;
        target_list targets;
    };
    [[nodiscard]] bound_key* find(std::uint64_t hash, std::string_view key) const noexcept
    {
        return keys_.find(hash, [key](const bound_key& k) { return k.key == key; });
    }

    hash_index<bound_key> keys_;
    std::uint64_t seed_ = 0;
};

} // namespace routing

/// The direct exchange (AMQP 0-9-1, section 3.1.3.1): the binding key is the routing key.
struct direct {
    static constexpr std::string_view name = "direct";
    static constexpr bool is_stable = true;
    using router = routing::direct_router;
};

} // namespace leveret
