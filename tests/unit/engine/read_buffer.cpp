// The bytes of a connection: nothing that somebody still looks at is written again.
#include "support/allocated.hpp"
#include "support/bytes.hpp"
#include "support/random_values.hpp"

#include <leveret/engine/read_buffer.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using leveret::shared_block;
using leveret::engine::read_buffer;
using leveret::test::allocation_watch;
using leveret::test::random_values;

namespace {

/// A stream of records: four octets of size and a text that says where it is.
std::string record(std::size_t number, std::size_t size)
{
    std::string out = leveret::test::big_endian(size, 4);
    const std::string mark = "<" + std::to_string(number) + ">";
    out.resize(size + 4, static_cast<char>('a' + number % 26));
    for (std::size_t at = 4; at + mark.size() <= out.size(); at += mark.size() + 500)
        mark.copy(out.data() + at, mark.size());
    return out;
}

std::size_t size_of(std::string_view input)
{
    std::size_t n = 0;
    for (int i = 0; i < 4; ++i)
        n = n << 8U | static_cast<unsigned char>(input[static_cast<std::size_t>(i)]);
    return n + 4;
}

/// Somebody who looks at a record in the buffer, with or without a lease on its block.
struct reader {
    std::string_view view;
    std::string wanted;
    shared_block* leased = nullptr;
};

} // namespace

TEST_CASE("read buffer: any reads, with records kept for a while, against the stream")
{
    const allocation_watch watch;
    for (std::uint64_t seed = 0; seed < 25; ++seed) {
        CAPTURE(seed);
        random_values random(seed);
        const std::size_t usual = random.one_in(2) ? 200 : 20'000;
        const std::size_t largest = random.one_in(4) ? 300'000 : usual;
        const std::uint64_t keep = 1 + random.below(20);

        read_buffer buffer;
        CHECK(buffer.unread().empty());
        CHECK(buffer.block() == nullptr);
        std::string pending; // made but not read
        std::size_t made = 0;
        std::size_t taken = 0;
        std::size_t needed = 4;
        std::deque<reader> kept;       // with a lease
        std::vector<reader> looked_at; // without: valid until leaving()
        int left = 0;
        const auto check = [](const reader& r) { REQUIRE(r.view == r.wanted); };
        while (taken < 1000) {
            const read_buffer::space space = buffer.prepare(needed, [&] {
                ++left;
                for (const reader& r : looked_at)
                    check(r);
                looked_at.clear();
            });
            REQUIRE(space.size > 0);
            REQUIRE(space.size + buffer.unread().size() >= needed);
            while (pending.size() < 70'000)
                pending += record(made++, random.size_below(random.one_in(10) ? largest : usual));
            const std::size_t n = std::min({space.size, pending.size(), 1 + random.size_below(65'536)});
            std::memcpy(space.data, pending.data(), n);
            std::memset(space.data + n, '#', space.size - n); // a read may use all of it
            pending.erase(0, n);
            buffer.commit(n);
            for (const reader& r : kept)
                check(r);
            for (const reader& r : looked_at)
                check(r);

            for (;;) {
                const std::string_view unread = buffer.unread();
                needed = unread.size() < 4 ? 4 : size_of(unread);
                if (unread.size() < needed)
                    break;
                reader r{unread.substr(0, needed), record(taken, needed - 4)};
                check(r);
                ++taken;
                if (random.one_in(keep)) {
                    r.leased = buffer.block();
                    r.leased->add_lease();
                    kept.push_back(std::move(r));
                } else {
                    looked_at.push_back(std::move(r));
                }
                buffer.consume(needed);
            }
            while (!kept.empty() && (kept.size() > 40 || random.one_in(3))) {
                const std::size_t i = random.size_below(kept.size());
                check(kept[i]);
                kept[i].leased->drop_lease();
                kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
            }
        }
        CHECK(taken >= 1000);
        CHECK(left > 0);
        for (const reader& r : kept) {
            check(r);
            r.leased->drop_lease();
        }
    }
    CHECK(watch.grown() < 1'000'000); // all blocks are gone (malloc's own caches may be not)
}

TEST_CASE("read buffer: one block is enough while nobody keeps it")
{
    read_buffer buffer;
    const auto turn = [&] {
        const auto space = buffer.prepare(7, [] {});
        std::memset(space.data, 'x', space.size);
        buffer.commit(space.size);
        buffer.consume(buffer.unread().size() - 3);
        static_cast<void>(buffer.prepare(7, [] {}));
        buffer.consume(3);
    };
    turn();
    const shared_block* block = buffer.block();
    const allocation_watch watch;
    for (int i = 0; i < 1000; ++i) {
        turn();
        REQUIRE(buffer.block() == block);
    }
    CHECK(watch.grown() == 0);
}

TEST_CASE("read buffer: blocks that come back are used again")
{
    read_buffer buffer;
    std::deque<shared_block*> leased;
    const auto turn = [&](std::size_t depth) {
        const auto space = buffer.prepare(7, [] {});
        buffer.commit(space.size);
        buffer.block()->add_lease();
        leased.push_back(buffer.block());
        buffer.consume(buffer.unread().size());
        while (leased.size() > depth) {
            leased.front()->drop_lease();
            leased.pop_front();
        }
    };
    for (int i = 0; i < 10; ++i)
        turn(4);
    {
        const allocation_watch watch;
        for (int i = 0; i < 1000; ++i)
            turn(4);
        CHECK(watch.grown() == 0);
    }
    // Far more in use than are kept: they go with their leases.
    const allocation_watch watch;
    for (int i = 0; i < 200; ++i)
        turn(100);
    CHECK(watch.grown() > 80 * read_buffer::block_size);
    turn(0);
    CHECK(watch.grown() < (read_buffer::kept_blocks + 2) * (read_buffer::block_size + 64));
}

TEST_CASE("read buffer: room for a frame that is larger than a block")
{
    read_buffer buffer;
    const std::size_t needed = 5 * read_buffer::block_size;
    auto space = buffer.prepare(7, [] {});
    std::memcpy(space.data, "0123456789", 10);
    buffer.commit(10);
    buffer.consume(3);
    space = buffer.prepare(needed, [] {});
    CHECK(space.size >= needed - 7);
    CHECK(buffer.unread() == "3456789");
    std::memset(space.data, 'x', needed - 7);
    buffer.commit(needed - 7);
    CHECK(buffer.unread().size() == needed);
    CHECK(buffer.unread().substr(0, 8) == "3456789x");
}
