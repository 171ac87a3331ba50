using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>An expired upload that no sweep has removed yet does not exist for any request.</summary>
public class ExpiredUploadTests
{
    /// <summary>The protocol, whether all bytes were sent, and the status codes of HEAD, GET, DELETE and an append. Status 200 of the file-id protocol is offset 0.</summary>
    public static TheoryData<string, bool, int[]> Table => new()
    {
        { ProtocolClient.FileId, false, [200, 200, 204, 409] },
        { ProtocolClient.FileId, true, [200, 200, 204, 409] },
        { ProtocolClient.Tus, false, [404, 404, 404, 404] },
        { ProtocolClient.Tus, true, [404, 404, 404, 404] },
        { ProtocolClient.Ietf, false, [404, 404, 404, 404] },
        { ProtocolClient.Ietf, true, [404, 404, 404, 404] },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Expired_upload_does_not_exist_before_the_sweep(string protocol, bool isComplete, int[] statuses)
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero));
        var store = new MemoryUploadStore(timeProvider: time);
        await using TusApp app = await TusApp.StartAsync(
            TusApp.Endpoint,
            options =>
            {
                options.Store = store;
                options.AllowDownload = true;
                options.Expiration = options.Timeouts.CompletedRetention = TimeSpan.FromHours(1);
                options.Timeouts.SweepInterval = TimeSpan.FromHours(12);
            },
            services: builder => builder.Services.AddSingleton<TimeProvider>(time));
        string url = await app.Client.BeginAsync(protocol, TusApp.Url, [1, 2, 3], 6);
        long offset = 3;
        if (isComplete)
        {
            using HttpResponseMessage last = await app.Client.FinishAsync(protocol, url, 3, [4, 5, 6]);
            Assert.True(last.IsSuccessStatusCode);
            offset = 6;
        }

        Assert.Equal((protocol == ProtocolClient.Ietf ? 204 : 200, $"{offset}"), await app.Client.GetOffsetAsync(protocol, url));
        time.Advance(TimeSpan.FromHours(1));
        (int head, string? found) = await app.Client.GetOffsetAsync(protocol, url);
        using HttpResponseMessage get = await SendAsync(app.Client, protocol, "GET", url);
        using HttpResponseMessage delete = await SendAsync(app.Client, protocol, "DELETE", url);
        using HttpResponseMessage append = await app.Client.FinishAsync(protocol, url, offset, isComplete ? [] : [4, 5, 6]);
        Assert.Equal(statuses, new[] { head, (int)get.StatusCode, (int)delete.StatusCode, (int)append.StatusCode });
        Assert.Equal(protocol == ProtocolClient.FileId ? "0" : null, found);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string protocol, string method, string url) => protocol switch
    {
        ProtocolClient.FileId => client.SendFileIdAsync(method, url, null),
        ProtocolClient.Tus => client.TusAsync(method, url),
        _ => client.IetfAsync(method, url, IetfClient.Newest, null),
    };
}
