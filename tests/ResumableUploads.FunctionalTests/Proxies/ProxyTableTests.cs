using ResumableUploads.FunctionalTests.Proxies.Measuring;
using ResumableUploads.FunctionalTests.Proxies.Servers;
using ResumableUploads.Testing;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>Compares the tables of <c>docs/deployment/proxies.md</c> with real proxies.</summary>
public abstract class ProxyTableTests(ITestOutputHelper output)
{
    /// <summary>Measures a proxy with each of its configurations.</summary>
    protected async Task AssertTableIsRightAsync(string proxy)
    {
        var expected = new List<string>();
        var actual = new List<string>();
        foreach (ProxySetup setup in ProxySetup.All.Where(setup => setup.Proxy == proxy))
        {
            ProxyRow row = ProxyTable.Read(setup);
            await using ProxiedApp app = await ProxiedApp.StartAsync();
            await using IProxy server = await setup.StartAsync(app.Address);
            expected.Add(ProxyTable.Format(setup, row));
            actual.Add(ProxyTable.Format(setup, await new ProxyProbe(app, server.Address, row).MeasureAsync()));
            output.WriteLine(actual[^1]);
        }

        Assert.True(expected.SequenceEqual(actual), $"{ProxyTable.Page} differs from {proxy}. The correct rows are:\n{string.Join('\n', actual)}");
    }
}

public class DirectConnectionTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_row_without_a_proxy_is_right() => AssertTableIsRightAsync("none");
}

public class NginxTableTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_nginx_are_right() => AssertTableIsRightAsync("nginx");
}

public class HAProxyTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_HAProxy_are_right() => AssertTableIsRightAsync("HAProxy");
}

public class ApacheTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_Apache_are_right() => AssertTableIsRightAsync("Apache");
}

public class CaddyTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_Caddy_are_right() => AssertTableIsRightAsync("Caddy");
}

public class LighttpdTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_lighttpd_are_right() => AssertTableIsRightAsync("lighttpd");
}

public class H2oTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_h2o_are_right() => AssertTableIsRightAsync("h2o");
}

public class VarnishTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_Varnish_are_right() => AssertTableIsRightAsync("Varnish");
}

public class YarpTests(ITestOutputHelper output) : ProxyTableTests(output)
{
    [Fact]
    public Task Table_rows_of_YARP_are_right() => AssertTableIsRightAsync("YARP");
}
