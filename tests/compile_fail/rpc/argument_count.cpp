// expect: the method of the interface has another number of parameters
#include <leveret/memory.hpp>
#include <leveret/rpc/client.hpp>

using add = leveret::rpc::method<"add", int(int, int)>;
auto use(leveret::rpc::client<leveret::memory::channel>& calc)
{
    return calc.call<add>(1);
}
