using ResumableUploads.FunctionalTests.Proxies.Measuring;
using ResumableUploads.FunctionalTests.Proxies.Servers;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>The tables of proxies and the sample configurations.</summary>
public class ProxyDocumentTests
{
    private const int MaxLines = 15;

    [Fact]
    public void Tables_have_one_row_for_each_measured_configuration()
    {
        string[] names = [.. ProxySetup.All.Select(static setup => $"{setup.Proxy}, {setup.Configuration}")];
        (string[] uploads, string[] details) = ProxyTable.Names();
        Assert.Equal(names, uploads);
        Assert.Equal(names, details);
    }

    [Theory]
    [InlineData("nginx.conf")]
    [InlineData("haproxy.cfg")]
    [InlineData("apache.conf")]
    [InlineData("Caddyfile")]
    [InlineData("lighttpd.conf")]
    [InlineData("h2o.conf")]
    [InlineData("varnish.vcl")]
    [InlineData("yarp.json")]
    public void Sample_configuration_has_at_most_15_lines(string file)
    {
        int count = ProxySetup.ReadSample(file).Split('\n').Count(static line => line.Trim() is { Length: > 0 } text && !text.StartsWith('#'));
        Assert.InRange(count, 1, MaxLines);
    }
}
