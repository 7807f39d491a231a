#pragma once

#include "leveret/core/hash_index.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/text_hash.hpp"
#include "leveret/routing/hash_filter.hpp"
#include "leveret/routing/key_cache.hpp"
#include "leveret/routing/policy.hpp"
#include "leveret/routing/topic_words.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace leveret {

namespace routing {

/// Binding keys are patterns of words between dots: `*` stands for one word, `#` for any number of
/// words, none included. An empty key has no words, as RabbitMQ splits it; "a." has two.
///
/// The patterns are a trie of words. A message walks it breadth first, one step a word: the nodes that
/// the words so far reach are a set, in which a mark keeps each node once. So a key of n words costs at
/// most n times the number of nodes that it reaches, and "#.#.#.#" no more than "#". The sets have room
/// for all nodes from when these were made, so walking allocates nothing.
class topic_router {
public:
    topic_router() = default;
    explicit topic_router(const router_context& c) noexcept : seed_(c.seed) {}
    topic_router(const topic_router&) = delete;
    topic_router& operator=(const topic_router&) = delete;
    ~topic_router()
    {
        children_.for_each([](node& n) { delete &n; });
    }

    void add(std::string_view pattern, const table&, binding& b)
    {
        make_room(1);
        node* at = &root_;
        try {
            for (topic_words words(pattern); !words.at_end(); words.advance())
                at = &child(*at, words.word());
            at->targets.add(b);
        } catch (...) {
            prune(at);
            throw;
        }
        if (!std::exchange(at->has_targets, true))
            cache_.invalidate(); // keys may reach what they did not before
        b.place = at;
    }
    void remove(std::string_view, const table&, binding& b) noexcept
    {
        auto* at = static_cast<node*>(b.place);
        at->targets.remove(b);
        if (at->targets.empty()) {
            at->has_targets = false;
            cache_.invalidate();
        }
        prune(at);
    }
    template <class Visit>
    void route(std::string_view key, const table&, Visit&& visit)
    {
        if (children_.empty() && root_.targets.empty())
            return;
        const std::uint64_t hash = text_hash(key, seed_);
        if (const auto known = cache_.find(hash, key); known.is_known) {
            for (const node* n : known.values)
                n->targets.visit(visit);
            return;
        }
        walk(key);
        cache_.remember(hash, key, reached_.begin(), reached_.size());
        for (const node* n : reached_)
            n->targets.visit(visit);
    }
    /// Bytes of the cache of routing keys.
    [[nodiscard]] std::size_t cache_memory() const noexcept { return cache_.memory(); }

private:
    struct alignas(64) node {
        // Walking looks at the first 64 bytes and at no more, unless words are long.
        node* parent = nullptr;
        node* star = nullptr;
        node* hash = nullptr;
        std::uint64_t mark = 0; // the last step that reached this node
        std::uint64_t index_hash = 0;
        std::uint32_t literal_children = 0;
        bool is_hash = false;
        bool has_targets = false;
        std::uint8_t word_bytes = 0; // 255: that or more
        char first_bytes[17] = {};   // of the word
        target_list targets;
        std::string word; // if it has more than these

        [[nodiscard]] bool is(const node& of, std::string_view text) const noexcept
        {
            if (parent != &of || word_bytes != std::min<std::size_t>(text.size(), 255))
                return false;
            return text.size() > sizeof first_bytes
                       ? word == text
                       : std::memcmp(first_bytes, text.data(), text.size()) == 0;
        }
    };

    /// Leaves in reached_ the nodes with targets that the key reaches.
    void walk(std::string_view key)
    {
        begin_step();
        reach(root_);
        for (topic_words words(key); !words.at_end(); words.advance()) {
            std::swap(reached_, before_);
            begin_step();
            const std::string_view word = words.word();
            const std::uint64_t hash = text_hash(word, seed_);
            lookups wanted;
            for (node* n : before_) {
                if (n->is_hash)
                    reach(*n); // # takes this word too
                if (n->star != nullptr)
                    reach(*n->star);
                if (n->literal_children == 0)
                    continue;
                const std::uint64_t index_hash = index_hash_of(*n, hash);
                if (!filter_.may_have(index_hash))
                    continue;
                children_.prefetch(index_hash);
                wanted.add(*n, index_hash);
                if (wanted.is_full())
                    look_up(wanted, word);
            }
            look_up(wanted, word);
            if (reached_.empty())
                return;
        }
        std::size_t kept = 0;
        for (node* n : reached_) {
            if (!n->has_targets)
                continue;
            __builtin_prefetch(&n->targets);
            reached_[kept++] = n;
        }
        reached_.truncate(kept);
    }

    /// Literal children to look for, together, so that memory is waited for once and not for one after the other.
    struct lookups {
        static constexpr std::size_t most = 16;
        struct lookup {
            const node* parent;
            std::uint64_t hash;
        };
        lookup all[most];
        node* found[most];
        std::size_t size = 0;
        void add(const node& parent, std::uint64_t hash) noexcept { all[size++] = {&parent, hash}; }
        [[nodiscard]] bool is_full() const noexcept { return size == most; }
    };
    void look_up(lookups& wanted, std::string_view word)
    {
        for (std::size_t i = 0; i < wanted.size; ++i) {
            wanted.found[i] = children_.find_first(wanted.all[i].hash);
            if (wanted.found[i] != nullptr)
                __builtin_prefetch(wanted.found[i]);
        }
        for (std::size_t i = 0; i < wanted.size; ++i) {
            node* next = wanted.found[i];
            const auto& [parent, hash] = wanted.all[i];
            if (next != nullptr && !next->is(*parent, word)) [[unlikely]]
                next = find(*parent, hash, word); // another one has the same hash
            if (next != nullptr)
                reach(*next);
        }
        wanted.size = 0;
    }

    // All nodes are in one index, by their parent and their word.
    [[nodiscard]] static std::uint64_t index_hash_of(const node& parent,
                                                     std::uint64_t word_hash) noexcept
    {
        return mix(word_hash, reinterpret_cast<std::uintptr_t>(&parent) | 1U);
    }
    [[nodiscard]] node* find(const node& parent, std::uint64_t index_hash,
                             std::string_view word) const noexcept
    {
        return children_.find(index_hash,
                              [&parent, word](const node& n) { return n.is(parent, word); });
    }
    [[nodiscard]] node& child(node& parent, std::string_view word)
    {
        if (word == "#" && parent.is_hash)
            return parent; // "#.#" matches what "#" does
        const std::uint64_t index_hash = index_hash_of(parent, text_hash(word, seed_));
        if (node* known = find(parent, index_hash, word))
            return *known;
        make_room(children_.size() + 2);
        auto fresh = std::make_unique<node>();
        fresh->word_bytes = static_cast<std::uint8_t>(std::min<std::size_t>(word.size(), 255));
        if (word.size() > sizeof fresh->first_bytes)
            fresh->word = word;
        else
            std::memcpy(fresh->first_bytes, word.data(), word.size());
        children_.insert(index_hash, fresh.get());
        filter_.insert(index_hash);
        ++filtered_;
        fresh->parent = &parent;
        fresh->index_hash = index_hash;
        fresh->is_hash = word == "#";
        if (fresh->is_hash)
            parent.hash = fresh.get();
        else if (word == "*")
            parent.star = fresh.get();
        else
            ++parent.literal_children;
        return *fresh.release();
    }
    void prune(node* at) noexcept
    {
        while (at != &root_ && !at->has_targets && at->literal_children == 0 &&
               at->star == nullptr && at->hash == nullptr) {
            node* const parent = at->parent;
            if (parent->hash == at)
                parent->hash = nullptr;
            else if (parent->star == at)
                parent->star = nullptr;
            else
                --parent->literal_children;
            children_.erase(at->index_hash, at);
            delete at;
            at = parent;
        }
    }

    /// For so many nodes, so that walking allocates nothing.
    void make_room(std::size_t nodes)
    {
        cache_.resize(nodes);
        if (!filter_.has_room(filtered_)) { // full, of those that went too
            filter_.clear(children_.size());
            children_.for_each([this](const node& n) { filter_.insert(n.index_hash); });
            filtered_ = children_.size();
        }
        if (nodes <= room_)
            return;
        const std::size_t larger = nodes < 2 * room_ ? 2 * room_ : nodes;
        reached_.reserve(larger);
        before_.reserve(larger);
        room_ = larger;
    }
    void begin_step() noexcept
    {
        ++step_;
        reached_.clear();
    }
    /// The node and what follows it without a word: # matches none, too.
    void reach(node& n)
    {
        for (node* at = &n; at != nullptr && at->mark != step_; at = at->hash) {
            at->mark = step_;
            reached_.push_back(at);
        }
    }

    node root_;
    hash_index<node> children_;
    hash_filter filter_;
    std::size_t filtered_ = 0; // how many hashes it was given
    std::uint64_t step_ = 0;
    pod_vector<node*> reached_, before_;
    std::size_t room_ = 0;
    key_cache<node> cache_;
    std::uint64_t seed_ = 0;
};

} // namespace routing

/// The topic exchange (AMQP 0-9-1, section 3.1.3.3).
struct topic {
    static constexpr std::string_view name = "topic";
    static constexpr bool is_stable = true;
    using router = routing::topic_router;
};

} // namespace leveret
