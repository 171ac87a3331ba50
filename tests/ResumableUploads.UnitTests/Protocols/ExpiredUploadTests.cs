using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Protocols;

/// <summary>An expired upload that no sweep has removed yet does not exist for any request.</summary>
public class ExpiredUploadTests
{
    /// <summary>The protocol, the kind of upload path, and whether all bytes were sent.</summary>
    public static TheoryData<string, string, bool> Uploads => new(
        from protocol in new[] { ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf }
        from place in new[] { TusApp.ReadyMade, TusApp.Endpoint }
        from isComplete in new[] { false, true }
        select (protocol, place, isComplete));

    [Theory]
    [MemberData(nameof(Uploads))]
    public async Task Expired_upload_does_not_exist_before_the_sweep(string protocol, string place, bool isComplete)
    {
        bool hasUrl = protocol != ProtocolClient.FileId;
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 10, 0, 0, TimeSpan.Zero));
        var store = new MemoryUploadStore(timeProvider: time);
        await using TusApp app = await TusApp.StartAsync(
            place,
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
        if (isComplete && hasUrl)
        {
            Assert.Equal([1, 2, 3, 4, 5, 6], await app.Client.GetByteArrayAsync(new Uri(url, UriKind.Relative)));
        }

        time.Advance(TimeSpan.FromHours(1));
        (int head, string? found) = await app.Client.GetOffsetAsync(protocol, url);
        using HttpResponseMessage get = await SendAsync(app.Client, protocol, "GET", url);
        if (hasUrl)
        {
            using HttpResponseMessage download = await app.Client.GetAsync(new Uri(url, UriKind.Relative));
            Assert.Equal(404, (int)download.StatusCode);
        }

        using HttpResponseMessage delete = await SendAsync(app.Client, protocol, "DELETE", url);
        using HttpResponseMessage append = await app.Client.FinishAsync(protocol, url, offset, isComplete ? [] : [4, 5, 6]);

        // Status 200 of the file-id protocol is offset 0.
        Assert.Equal(hasUrl ? [404, 404, 404, 404] : [200, 200, 204, 409], new[] { head, (int)get.StatusCode, (int)delete.StatusCode, (int)append.StatusCode });
        Assert.Equal(hasUrl ? null : "0", found);
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string protocol, string method, string url) => protocol switch
    {
        ProtocolClient.FileId => client.SendFileIdAsync(method, url, null),
        ProtocolClient.Tus => client.TusAsync(method, url),
        _ => client.IetfAsync(method, url, IetfClient.Newest, null),
    };
}
