#pragma once

#include "leveret/core/hash_index.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/text_hash.hpp"
#include "leveret/routing/hash_filter.hpp"
#include "leveret/routing/key_cache.hpp"
#include "leveret/routing/policy.hpp"
#include "leveret/routing/topic_words.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace leveret {

namespace routing {

/// Binding keys are patterns of words between dots: `*` stands for one word, `#` for any number of words, none
/// included. An empty key has no words, as RabbitMQ splits it; "a." has two.
///
/// The patterns are a trie of words. A message walks it breadth first, one step a word: the nodes that the words
/// so far reach are a set, in which a mark keeps each node once. So a key of n words costs at most n times the
/// number of nodes that it reaches, and "#.#.#.#" no more than "#". The sets have room for all nodes from when
/// these were made, so walking allocates nothing.
///
/// What takes time is waiting for memory. So each node has its children in a table of its own, for nodes that
/// many keys pass to stay near the processor whatever else is bound; a filter tells most words that are not
/// there; and the nodes of a step are fetched together. Keys that come again are found in a cache
/// (key_cache.hpp).
class topic_router {
public:
    topic_router() = default;
    explicit topic_router(const router_context& c) noexcept : seed_(c.seed) {}
    topic_router(const topic_router&) = delete;
    topic_router& operator=(const topic_router&) = delete;
    ~topic_router()
    {
        reached_.clear(); // as a stack, with room for all nodes
        push_children(root_);
        while (!reached_.empty()) {
            const std::unique_ptr<node> gone(reached_.back());
            reached_.pop_back();
            push_children(*gone);
        }
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
        if (at->has_targets == 0) {
            at->has_targets = 1;
            cache_.invalidate(); // keys may reach what they did not before
        }
        b.place = at;
    }
    void remove(std::string_view, const table&, binding& b) noexcept
    {
        auto* at = static_cast<node*>(b.place);
        at->targets.remove(b);
        if (at->targets.empty()) {
            at->has_targets = 0;
            cache_.invalidate();
        }
        prune(at);
    }
    template <class Visit>
    void route(std::string_view key, const table&, Visit&& visit)
    {
        if (nodes_ == 0 && root_.targets.empty())
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
        // What a walk passes by is in the first 64 bytes, what it looks at when it has found a node in the next.
        node* star = nullptr;
        node* hash = nullptr;
        node* only = nullptr;     // the literal child, if there is one alone
        hash_index<node> several; // else, by the hashes of their words
        hash_filter filter;       // of the hashes of all literal children
        std::uint64_t is_hash : 1 = 0;
        std::uint64_t has_targets : 1 = 0;
        std::uint64_t mark : 62 = 0; // the last step that reached this node
        node* parent = nullptr;
        target_list targets;
        std::string word;

        [[nodiscard]] bool is_leaf() const noexcept
        {
            return star == nullptr && hash == nullptr && only == nullptr && several.empty();
        }
    };

    static_assert(sizeof(hash_filter) + sizeof(hash_index<node>) + 4 * sizeof(void*) <= 64 &&
                  sizeof(node) == 128);

    /// Literal children to look for, together, so that memory is waited for once and not for one after the other.
    struct lookups {
        static constexpr std::size_t most = 16;
        struct lookup {
            const node* parent;
            node* child; // most likely; nullptr: in the table
        };
        lookup all[most];
        std::size_t size = 0;
        [[nodiscard]] bool is_full() const noexcept { return size == most; }
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
            for (const node* n : before_)
                n->filter.prefetch(hash);
            for (node* n : before_) {
                if (n->is_hash != 0)
                    reach(*n); // # takes this word too
                if (n->star != nullptr)
                    reach(*n->star);
                want(wanted, *n, hash);
                if (wanted.is_full())
                    look_up(wanted, hash, word);
            }
            look_up(wanted, hash, word);
            if (reached_.empty())
                return;
        }
        std::size_t kept = 0;
        for (node* n : reached_) {
            if (n->has_targets == 0)
                continue;
            n->targets.prefetch();
            reached_[kept++] = n;
        }
        reached_.truncate(kept);
    }
    static void want(lookups& wanted, const node& parent, std::uint64_t hash) noexcept
    {
        if (!parent.filter.may_have(hash))
            return;
        if (parent.only != nullptr)
            fetch(parent.only);
        else
            parent.several.prefetch(hash);
        wanted.all[wanted.size++] = {&parent, parent.only};
    }
    void look_up(lookups& wanted, std::uint64_t hash, std::string_view word)
    {
        for (std::size_t i = 0; i < wanted.size; ++i) {
            auto& [parent, child] = wanted.all[i];
            if (child == nullptr && (child = parent->several.find_first(hash)) != nullptr)
                fetch(child);
        }
        for (std::size_t i = 0; i < wanted.size; ++i) {
            auto [parent, child] = wanted.all[i];
            if (child != nullptr && child->word != word) [[unlikely]]
                child = find(*parent, hash, word); // another word has the same hash
            if (child != nullptr)
                reach(*child);
        }
        wanted.size = 0;
    }
    static void fetch(const node* n) noexcept
    {
        __builtin_prefetch(n);
        __builtin_prefetch(&n->word);
    }

    /// A literal child.
    [[nodiscard]] static node* find(const node& parent, std::uint64_t hash,
                                    std::string_view word) noexcept
    {
        if (parent.only != nullptr)
            return parent.only->word == word ? parent.only : nullptr;
        return parent.several.find(hash, [word](const node& n) { return n.word == word; });
    }
    [[nodiscard]] node& child(node& parent, std::string_view word)
    {
        if (word == "#" && parent.is_hash != 0)
            return parent; // "#.#" matches what "#" does
        const bool is_literal = word != "#" && word != "*";
        const std::uint64_t hash = is_literal ? text_hash(word, seed_) : 0;
        node* known = is_literal    ? find(parent, hash, word)
                      : word == "#" ? parent.hash
                                    : parent.star;
        if (known != nullptr)
            return *known;
        make_room(nodes_ + 2);
        auto fresh = std::make_unique<node>();
        fresh->word = word;
        fresh->is_hash = word == "#" ? 1 : 0;
        fresh->parent = &parent;
        if (is_literal)
            add_literal(parent, hash, *fresh);
        else
            (word == "#" ? parent.hash : parent.star) = fresh.get();
        ++nodes_;
        return *fresh.release();
    }
    static void add_literal(node& parent, std::uint64_t hash, node& child)
    {
        if (parent.only == nullptr && parent.several.empty()) {
            parent.only = &child;
            parent.filter.insert(hash);
            return;
        }
        if (!parent.filter.has_room()) {
            parent.filter.restart(parent.several.size());
            parent.several.for_each_hash(
                [&parent](std::uint64_t known) { parent.filter.insert(known); });
        }
        if (parent.only != nullptr) {
            parent.several.insert(parent.filter.single(),
                                  parent.only); // with that there is room for the other
            parent.only = nullptr;
        }
        parent.several.insert(hash, &child);
        parent.filter.insert(hash);
    }
    void remove_literal(node& parent, const node& child) const noexcept
    {
        if (parent.only != nullptr)
            parent.only = nullptr;
        else
            parent.several.erase(text_hash(child.word, seed_), &child);
        if (parent.several.empty())
            parent.filter.clear();
    }
    void prune(node* at) noexcept
    {
        while (at != &root_ && at->has_targets == 0 && at->is_leaf()) {
            const std::unique_ptr<node> gone(at);
            at = gone->parent;
            if (at->hash == gone.get())
                at->hash = nullptr;
            else if (at->star == gone.get())
                at->star = nullptr;
            else
                remove_literal(*at, *gone);
            --nodes_;
        }
    }
    void push_children(const node& of)
    {
        for (node* n : {of.star, of.hash, of.only})
            if (n != nullptr)
                reached_.push_back(n);
        of.several.for_each([this](node& n) { reached_.push_back(&n); });
    }

    /// For so many nodes, so that walking allocates nothing.
    void make_room(std::size_t nodes)
    {
        cache_.resize(nodes);
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
            at->mark =
                step_ & ((std::uint64_t{1} << 62U) - 1); // for the compiler: it is never more
            reached_.push_back(at);
        }
    }

    node root_;
    std::size_t nodes_ = 0; // beside the root
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
