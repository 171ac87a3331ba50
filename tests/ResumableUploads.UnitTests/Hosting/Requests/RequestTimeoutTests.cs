using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting.Requests;

public class RequestTimeoutTests
{
    public static TheoryData<string, string> Requests()
    {
        var rows = new TheoryData<string, string>();
        foreach (string path in (string[])["/upload", "/mapped", "/endpoint"])
        {
            foreach (string protocol in (string[])[ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf])
            {
                rows.Add(path, protocol);
            }
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Default_request_timeout_does_not_apply_to_upload_requests(string path, string protocol)
    {
        var timeouts = new ConcurrentQueue<RecordedTimeout>();
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                app.UseRouting();
                app.UseRequestTimeouts();
                app.Use(next => context =>
                {
                    var timeout = new RecordedTimeout(context.Features.GetRequiredFeature<IHttpRequestTimeoutFeature>());
                    timeouts.Enqueue(timeout);
                    context.Features.Set<IHttpRequestTimeoutFeature>(timeout);
                    return next(context);
                });
                app.UseResumableUploads();
                app.MapResumableUploads("/mapped");
                app.MapPost("/endpoint", static () => "done").WithResumableUploads();
            },
            static options => options.OnCompleted = static (_, _) => Task.CompletedTask,
            static builder => builder.Services.AddRequestTimeouts(static options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMinutes(5) }),
            onTestHost: true);

        string url = await app.Client.BeginAsync(protocol, path, new byte[3], 6);
        Assert.Equal("3", (await app.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage last = await app.Client.FinishAsync(protocol, url, 3, new byte[3]);
        Assert.True(last.IsSuccessStatusCode);
        Assert.Equal([true, true, true], timeouts.Select(static timeout => timeout.IsDisabled));
    }

    private sealed class RecordedTimeout(IHttpRequestTimeoutFeature inner) : IHttpRequestTimeoutFeature
    {
        public bool IsDisabled { get; private set; }

        public CancellationToken RequestTimeoutToken => inner.RequestTimeoutToken;

        public void DisableTimeout()
        {
            IsDisabled = true;
            inner.DisableTimeout();
        }
    }
}
