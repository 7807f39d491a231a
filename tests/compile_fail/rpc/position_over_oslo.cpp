// expect: this wire format passes arguments by name
#include <leveret/memory.hpp>
#include <leveret/rpc/client.hpp>
#include <leveret/rpc/wire/oslo.hpp>

void use(leveret::rpc::client<leveret::memory::channel, leveret::rpc::wire::oslo>& c)
{
    static_cast<void>(c.cast("add", 1, 2));
}
