// What a client's user brings along in client_session.hpp: each part aborts when it is told what can't be.
#pragma once

#include <leveret/engine/client.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace leveret::fuzz {

inline std::size_t largest_allocation = 0;

inline void require(bool condition, const char* what)
{
    if (condition)
        return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

class random_numbers {
public:
    explicit random_numbers(std::uint32_t seed) : state_(seed * 2654435769U + 1) {}
    std::size_t below(std::size_t n)
    {
        state_ ^= state_ << 13U;
        state_ ^= state_ >> 7U;
        state_ ^= state_ << 17U;
        return static_cast<std::size_t>(state_ % n);
    }

private:
    std::uint64_t state_;
};

class operation final : public engine::operation {
public:
    explicit operation(engine::client_channel* c) : channel(c) {}
    engine::client_channel* channel;
    bool is_abandoned = false;
    int times = 0;

private:
    void finished() noexcept override
    {
        require(!is_abandoned && ++times == 1, "an operation ends once, unless it is abandoned");
    }
};

class channel final : public engine::client_channel {
public:
    std::string last_tag; // consumer tag of its last delivery
};

class listener final : public engine::confirm_listener {
public:
    std::uint64_t published = 0;
    std::uint64_t told = 0;

private:
    void confirmed(std::uint64_t first, std::size_t count, std::size_t, publish_outcome) noexcept override
    {
        require(first >= 1 && first + count - 1 <= published, "only what was published is confirmed");
        told += count;
        require(told <= published, "and once");
    }
    void returned(std::uint64_t number, std::size_t, std::uint16_t, std::string) noexcept override
    {
        require(number >= 1 && number <= published && ++told <= published, "returned as well");
    }
};

[[nodiscard]] inline std::size_t sum_of(std::string_view bytes)
{
    std::size_t sum = bytes.size();
    for (const char c : bytes)
        sum = sum * 31 + static_cast<unsigned char>(c);
    return sum;
}

} // namespace leveret::fuzz
