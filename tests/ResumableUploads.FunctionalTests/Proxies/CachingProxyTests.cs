using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Clients;
using ResumableUploads.FunctionalTests.Clients.Tus;
using ResumableUploads.FunctionalTests.Proxies.Servers;

namespace ResumableUploads.FunctionalTests.Proxies;

/// <summary>tus-js-client behind proxies that cache responses, and therefore send GET to the app when a client sends HEAD.</summary>
public class CachingProxyTests
{
    public static TheoryData<string, string, string> Clients
    {
        get
        {
            var all = new TheoryData<string, string, string>();
            foreach (string client in new[] { "tus-js-client", "tus-js-client-next:ietf-draft-03", "tus-js-client-next:ietf-draft-05" })
            {
                all.Add("Varnish", ProxySetup.Default, client);
                all.Add("nginx", ProxySetup.NginxCache, client);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Tus_js_client_stopped_ten_times_resumes_behind_a_cache(string proxy, string configuration, string client)
    {
        await using SampleHostProcess host = await SampleHostProcess.StartAsync();
        await using IProxy server = await ProxySetup.Get(proxy, configuration).StartAsync(host.Address);
        using var file = new SourceFile($"{client.Replace(':', ' ')} behind {proxy}.bin", 40_000_000);
        await using NodeClient sender = await NodeClient.StartAsync(client, "stopped", server.Address, RandomNumberGenerator.GetInt32(int.MaxValue), file);
        await sender.EndAsync();

        // Each resumed request begins where the one before was stopped. A client that starts over sends offset 0 again, or creates another upload.
        Assert.Single(sender.Requests, static request => request.StartsWith("POST", StringComparison.Ordinal));
        Assert.Equal(sender.Corrections, sender.Responses.Count(static response => response[^3] != '2'));
        Assert.Equal(file.Hash, await SourceFile.HashOfAsync(Assert.Single(host.Arrived)));
    }
}
