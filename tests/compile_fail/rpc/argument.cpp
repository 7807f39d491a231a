// expect: an argument is not of its parameter's type in the interface
#include <leveret/memory.hpp>
#include <leveret/rpc/client.hpp>

using add = leveret::rpc::method<"add", int(int, int)>;
auto use(leveret::rpc::client<leveret::memory::channel>& calc)
{
    return calc.call<add>(1.5, 2);
}
