using System.Security.Cryptography;
using ResumableUploads.FunctionalTests.Connections;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Ietf;

/// <summary>The latency of a client that reconnects while the server still reads from its old connection (draft-ietf-httpbis-resumable-upload-12, section 4.6).</summary>
[Collection<Alone>]
public class IetfPreemptionLatencyTests
{
    private const int StoredSize = 256 * 1024;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(StoredSize + 1_000);

    public static TheoryData<string, string> Requests
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string place in new[] { TusApp.ReadyMade, TusApp.Mapped, TusApp.Endpoint })
            {
                foreach (string method in new[] { "HEAD", "GET", "PATCH", "DELETE" })
                {
                    rows.Add(place, method);
                }
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Request_waits_for_no_timer_while_an_append_is_stalled(string place, string method)
    {
        await using ObservedIetfApp app = await ObservedIetfApp.StartAsync(place, time: Latency.StoppedClock());
        await Latency.AssertAsync($"{method} at {place}", async _ =>
        {
            (string url, RawConnection stalled) = await app.StallAsync(File, StoredSize);
            await using (stalled)
            {
                return await Latency.OfAsync(async () =>
                {
                    using HttpResponseMessage response = await (method == "PATCH" ? app.Client.AppendAsync(url, StoredSize, true, File[StoredSize..]) : app.Client.IetfAsync(method, url, IetfClient.Newest));
                    string? offset = method switch { "PATCH" => $"{File.Length}", "DELETE" => null, _ => $"{StoredSize}" };
                    Assert.Equal((true, offset), (response.IsSuccessStatusCode, response.Header("Upload-Offset")));
                });
            }
        });
    }
}
