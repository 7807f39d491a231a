#include "support/allocated.hpp"
#include "support/random_values.hpp"

#include <leveret/engine/output_buffer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using leveret::payload;
using leveret::engine::output_buffer;
using leveret::test::allocation_watch;
using leveret::test::random_values;

namespace {

using pieces = std::vector<std::string_view>;

pieces pieces_of(const output_buffer& buffer)
{
    pieces out;
    buffer.for_each_piece([&](const char* data, std::size_t n) {
        out.emplace_back(data, n);
        return true;
    });
    return out;
}

std::string text_of(const output_buffer& buffer)
{
    std::string out;
    for (const std::string_view piece : pieces_of(buffer)) {
        CHECK_FALSE(piece.empty());
        out += piece;
    }
    return out;
}

/// What lay at the front before still lies there: a socket may be writing it.
bool begins_with(const pieces& now, const pieces& before)
{
    if (now.size() < before.size())
        return false;
    for (std::size_t i = 0; i < before.size(); ++i) {
        const bool is_last = i + 1 == before.size(); // this one may have grown
        if (now[i].data() != before[i].data() || now[i].size() < before[i].size() ||
            (!is_last && now[i].size() != before[i].size()))
            return false;
    }
    return true;
}

/// A few bytes that lie in a block nevertheless, as the rest of a large body does.
payload in_block(std::string_view bytes)
{
    return payload(std::string(100, 'p') + std::string(bytes)).slice(100, bytes.size());
}

} // namespace

TEST_CASE("output buffer: any appends and writes, against a string")
{
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        random_values random(seed);
        output_buffer buffer;
        std::string model;
        const std::size_t large = random.one_in(2) ? 100'000 : 300;
        for (int step = 0; step < 400; ++step) {
            const pieces before = pieces_of(buffer);
            std::string bytes(1 + random.size_below(large), static_cast<char>('a' + random.below(26)));
            bytes.back() = '.';
            switch (random.below(6)) {
            case 0: {
                char* at = buffer.append(bytes.size());
                std::memcpy(at, bytes.data(), bytes.size());
                model += bytes;
                REQUIRE(begins_with(pieces_of(buffer), before));
                break;
            }
            case 1:
                buffer.append(std::string_view(bytes));
                model += bytes;
                REQUIRE(begins_with(pieces_of(buffer), before));
                break;
            case 2: {
                const payload body(bytes);
                const std::size_t from = random.size_below(bytes.size());
                buffer.append_shared(body.slice(from, large));
                model += std::string_view(bytes).substr(from, large);
                REQUIRE(begins_with(pieces_of(buffer), before));
                break;
            }
            case 3:
                if (random.one_in(4))
                    buffer.reserve(random.size_below(2 * large), random.size_below(5));
                else
                    buffer.append(std::string_view());
                buffer.append_shared(payload());
                REQUIRE(begins_with(pieces_of(buffer), before));
                break;
            default: { // as a socket takes it
                const std::size_t n = random.one_in(3) ? model.size()
                                                       : random.size_below(model.size() + 1);
                buffer.consume(n);
                model.erase(0, n);
                break;
            }
            }
            REQUIRE(buffer.size() == model.size());
            REQUIRE(buffer.empty() == model.empty());
            if (step % 8 == 0)
                REQUIRE(text_of(buffer) == model);
        }
        CHECK(text_of(buffer) == model);
    }
}

TEST_CASE("output buffer: large bodies are not copied, and let go when they are written")
{
    output_buffer buffer;
    const std::string text(200'000, 'b');
    const allocation_watch watch;
    {
        payload body(text);
        const char* data = body.data();
        buffer.append("header ");
        buffer.append_shared(std::move(body));
        buffer.append(" end");
        const pieces now = pieces_of(buffer);
        REQUIRE(now.size() == 3);
        CHECK(now[0] == "header ");
        CHECK(now[1].data() == data);
        CHECK(now[2] == " end");
    }
    buffer.consume(7 + 199'999);
    CHECK(watch.grown() >= 200'000);
    CHECK(text_of(buffer) == "b end");
    buffer.consume(1);
    CHECK(watch.grown() < 100'000);
    buffer.consume(4);
    CHECK(buffer.empty());
    CHECK(pieces_of(buffer).empty());
}

TEST_CASE("output buffer: small appends lie one behind the other")
{
    output_buffer buffer;
    std::string all;
    for (int i = 0; i < 1000; ++i) {
        buffer.append("frame");
        all += "frame";
    }
    CHECK(pieces_of(buffer).size() == 1);
    CHECK(text_of(buffer) == all);
    // Even after a shared slice they go on in the same chunk.
    buffer.append_shared(in_block("x"));
    buffer.append("after");
    const pieces now = pieces_of(buffer);
    REQUIRE(now.size() == 3);
    CHECK(now[2].data() == now[0].data() + now[0].size());
}

TEST_CASE("output buffer: a look at the pieces stops when it is told")
{
    output_buffer buffer;
    for (int i = 0; i < 5; ++i)
        buffer.append_shared(in_block("x"));
    int calls = 0;
    buffer.for_each_piece([&](const char*, std::size_t) { return ++calls < 3; });
    CHECK(calls == 3);
}

TEST_CASE("output buffer: one piece of any size")
{
    output_buffer buffer;
    std::string model;
    for (const std::size_t n : {output_buffer::chunk_size - 1, std::size_t{1}, std::size_t{1},
                                output_buffer::chunk_size, output_buffer::chunk_size + 1,
                                std::size_t{1'000'000}, std::size_t{5}}) {
        std::memset(buffer.append(n), 'x', n);
        model.append(n, 'x');
        CHECK(buffer.size() == model.size());
    }
    CHECK(text_of(buffer) == model);
    buffer.consume(model.size());
    CHECK(buffer.empty());
}

TEST_CASE("output buffer: in the steady state nothing is allocated")
{
    output_buffer buffer;
    const std::string frame(700, 'f');
    const payload body(std::string(20'000, 'b'));
    const auto cycle = [&](std::size_t depth) {
        for (std::size_t i = 0; i < depth; ++i) {
            buffer.append(frame);
            if (i % 50 == 0)
                buffer.append_shared(body);
        }
        while (!buffer.empty())
            buffer.consume(std::min<std::size_t>(buffer.size(), 65'536));
    };
    cycle(400);
    const allocation_watch watch;
    for (int i = 0; i < 500; ++i)
        cycle(400);
    CHECK(watch.grown() == 0);
}

TEST_CASE("output buffer: a burst does not keep its memory for ever")
{
    output_buffer buffer;
    const allocation_watch watch;
    const std::string frame(1000, 'f');
    for (int i = 0; i < 20'000; ++i)
        buffer.append(frame);
    CHECK(watch.grown() >= 20'000'000);
    buffer.consume(buffer.size());
    CHECK(watch.grown() <= (output_buffer::kept_chunks + 1) * (output_buffer::chunk_size + 64) + 65'536);
}

TEST_CASE("output buffer: what was reserved can't fail, for it allocates nothing")
{
    output_buffer buffer;
    const payload body = in_block("body");
    for (const std::size_t bytes : {100U, 70'000U, 500'000U}) {
        for (const std::size_t slices : {0U, 1U, 40U}) {
            buffer.append("before");
            buffer.reserve(bytes, slices);
            const allocation_watch watch;
            for (std::size_t i = 0; i < slices; ++i) {
                static_cast<void>(std::memset(buffer.append(bytes / (slices + 1)), 'x',
                                              bytes / (slices + 1)));
                buffer.append_shared(body);
            }
            static_cast<void>(std::memset(buffer.append(bytes / (slices + 1)), 'x', bytes / (slices + 1)));
            CHECK(watch.grown() == 0);
            if (bytes == 70'000)
                buffer.consume(buffer.size());
        }
    }
}
