using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Clients.Concurrent;

/// <summary>A request of an upload, with the time since the start of the app.</summary>
internal sealed record TracedRequest(TimeSpan At, string Method, string Offset)
{
    public int Status { get; set; }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds:0.000} {Method} {Offset} {Status}");
}

/// <summary>The requests of one upload, and the time from the first one until the upload was complete.</summary>
internal sealed record UploadRun(IReadOnlyList<TracedRequest> Requests, TimeSpan Duration)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Requests.Count} requests in {Duration.TotalSeconds:0.00} s: {string.Join("; ", Requests)}");
}

/// <summary>An app that receives tus uploads over a throttled line, and records the requests.</summary>
internal sealed class SharedUploadApp : IAsyncDisposable
{
    private readonly TestApp _app;
    private readonly Recorder _recorder;

    private SharedUploadApp(TestApp app, Recorder recorder, int rate)
    {
        (_app, _recorder) = (app, recorder);
        Line = new ThrottledLine(app.Address, rate);
    }

    public ThrottledLine Line { get; }

    /// <param name="rate">The rate of the line, in bytes per second.</param>
    /// <param name="after">Adds endpoints.</param>
    public static async Task<SharedUploadApp> StartAsync(int rate, Action<WebApplication>? after = null)
    {
        var recorder = new Recorder();
        TestApp app = await TestApp.StartAsync(
            options =>
            {
                var completed = options.OnCompleted!;
                options.OnCompleted = async (upload, cancellationToken) =>
                {
                    recorder.Complete();
                    await completed(upload, cancellationToken);
                };
            },
            before: app => app.Use(recorder.RecordAsync),
            after: after);
        return new SharedUploadApp(app, recorder, rate);
    }

    /// <summary>Creates an upload and returns its URL on the throttled line.</summary>
    public async Task<Uri> CreateAsync(SourceFile file)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/upload")
        {
            Headers = { { "Tus-Resumable", "1.0.0" }, { "Upload-Length", file.Size.ToString(CultureInfo.InvariantCulture) } },
        };
        using HttpResponseMessage response = await _app.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return new Uri(Line.Address, response.Headers.Location!);
    }

    /// <summary>Returns the requests since the last call, and the time from the first of them until the completion of the upload.</summary>
    public async Task<UploadRun> TakeRunAsync(SourceFile file)
    {
        await Eventually.TrueAsync(() => _app.Finished.Count > 0, "the upload is complete");
        FinishedUpload finished = Assert.Single(_app.Finished);
        Assert.Equal(file.Hash, Convert.ToHexString(SHA256.HashData(finished.Content)));
        _app.Finished.Clear();
        return _recorder.Take();
    }

    /// <summary>Returns whether a request with the given method has reached the app since the requests were last taken.</summary>
    public bool HasReceived(string method) => _recorder.Contains(method);

    /// <summary>Returns the requests since the last call.</summary>
    public IReadOnlyList<TracedRequest> TakeRequests() => _recorder.Take().Requests;

    public async ValueTask DisposeAsync()
    {
        await Line.DisposeAsync();
        await _app.DisposeAsync();
    }

    private sealed class Recorder
    {
        private readonly long _start = TimeProvider.System.GetTimestamp();
        private readonly ConcurrentQueue<TracedRequest> _requests = new();
        private TimeSpan _completedAt;

        private TimeSpan Now => TimeProvider.System.GetElapsedTime(_start);

        public void Complete() => _completedAt = Now;

        public async Task RecordAsync(Microsoft.AspNetCore.Http.HttpContext context, Microsoft.AspNetCore.Http.RequestDelegate next)
        {
            if (!context.Request.Path.StartsWithSegments("/upload"))
            {
                await next(context);
                return;
            }

            var request = new TracedRequest(Now, context.Request.Method, context.Request.Headers["Upload-Offset"].FirstOrDefault() ?? "-");
            _requests.Enqueue(request);
            context.Response.OnStarting(() =>
            {
                request.Status = context.Response.StatusCode;
                return Task.CompletedTask;
            });
            await next(context);
        }

        public bool Contains(string method) => _requests.Any(request => request.Method == method);

        public UploadRun Take()
        {
            TracedRequest[] requests = [.. _requests];
            _requests.Clear();
            return new UploadRun(requests, requests.Length == 0 ? default : _completedAt - requests[0].At);
        }
    }
}
