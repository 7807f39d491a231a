#pragma once

#include "leveret/core/hash_index.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/text_hash.hpp"
#include "leveret/routing/policy.hpp"
#include "leveret/routing/topic_words.hpp"

#include <cstddef>
#include <cstdint>
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
    topic_router(const topic_router&) = delete;
    topic_router& operator=(const topic_router&) = delete;
    ~topic_router()
    {
        children_.for_each([](node& n) { delete &n; });
    }

    void add(std::string_view pattern, const table&, binding& b)
    {
        reached_.reserve(1);
        node* at = &root_;
        try {
            for (topic_words words(pattern); !words.at_end(); words.advance())
                at = &child(*at, words.word());
            at->targets.add(b);
        } catch (...) {
            prune(at);
            throw;
        }
        b.place = at;
    }
    void remove(std::string_view, const table&, binding& b) noexcept
    {
        auto* at = static_cast<node*>(b.place);
        at->targets.remove(b);
        prune(at);
    }
    template <class Visit>
    void route(std::string_view key, const table&, Visit&& visit)
    {
        if (children_.empty() && root_.targets.empty())
            return;
        begin_step();
        reach(root_);
        for (topic_words words(key); !words.at_end(); words.advance()) {
            std::swap(reached_, before_);
            begin_step();
            const std::string_view word = words.word();
            const std::uint64_t hash = text_hash(word);
            for (node* n : before_) {
                if (n->is_hash)
                    reach(*n); // # takes this word too
                if (n->literal_children > 0)
                    if (node* next = find(*n, hash, word))
                        reach(*next);
                if (n->star != nullptr)
                    reach(*n->star);
            }
            if (reached_.empty())
                return;
        }
        for (const node* n : reached_)
            n->targets.visit(visit);
    }

private:
    struct node {
        node* parent = nullptr;
        node* star = nullptr;
        node* hash = nullptr;
        std::size_t literal_children = 0;
        std::uint64_t mark = 0; // the last step that reached this node
        std::uint64_t word_hash = 0;
        bool is_hash = false;
        std::string word;
        target_list targets;
    };

    // All nodes are in one index, by their parent and their word.
    [[nodiscard]] static std::uint64_t key_of(const node& parent, std::uint64_t word_hash) noexcept
    {
        return mix(word_hash, reinterpret_cast<std::uintptr_t>(&parent) | 1U);
    }
    [[nodiscard]] node* find(const node& parent, std::uint64_t hash,
                             std::string_view word) const noexcept
    {
        return children_.find(key_of(parent, hash), [&parent, word](const node& n) {
            return n.parent == &parent && n.word == word;
        });
    }
    [[nodiscard]] node& child(node& parent, std::string_view word)
    {
        if (word == "#" && parent.is_hash)
            return parent; // "#.#" matches what "#" does
        const std::uint64_t hash = text_hash(word);
        if (node* known = find(parent, hash, word))
            return *known;
        reached_.reserve(children_.size() + 2);
        before_.reserve(children_.size() + 2);
        auto* fresh = new node;
        try {
            fresh->word = word;
            children_.insert(key_of(parent, hash), fresh);
        } catch (...) {
            delete fresh;
            throw;
        }
        fresh->parent = &parent;
        fresh->word_hash = hash;
        fresh->is_hash = word == "#";
        if (fresh->is_hash)
            parent.hash = fresh;
        else if (word == "*")
            parent.star = fresh;
        else
            ++parent.literal_children;
        return *fresh;
    }
    void prune(node* at) noexcept
    {
        while (at != &root_ && at->targets.empty() && at->literal_children == 0 &&
               at->star == nullptr && at->hash == nullptr) {
            node* const parent = at->parent;
            if (parent->hash == at)
                parent->hash = nullptr;
            else if (parent->star == at)
                parent->star = nullptr;
            else
                --parent->literal_children;
            children_.erase(key_of(*parent, at->word_hash), at);
            delete at;
            at = parent;
        }
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
    std::uint64_t step_ = 0;
    pod_vector<node*> reached_, before_;
};

} // namespace routing

/// The topic exchange (AMQP 0-9-1, section 3.1.3.3).
struct topic {
    static constexpr std::string_view name = "topic";
    using router = routing::topic_router;
};

} // namespace leveret
