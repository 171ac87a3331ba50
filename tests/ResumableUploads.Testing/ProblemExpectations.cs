using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.Testing;

/// <summary>Assertions on responses of the file-id protocol, and the apps that send them.</summary>
internal static class ProblemExpectations
{
    public const string Own = "urn:resumable-uploads:";
    public const string OffsetMismatch = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";
    public const string LengthConflict = "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";

    /// <summary>Starts an app on TestHost with the file-system store or the memory store.</summary>
    public static Task<TestApp> AppAsync(bool inMemory = false, Action<ResumableUploadOptions>? configure = null, TimeProvider? time = null, Action<WebApplication>? after = null) =>
        TestApp.StartAsync(
            options =>
            {
                if (inMemory)
                {
                    options.Store = new MemoryUploadStore(timeProvider: time);
                }

                configure?.Invoke(options);
            },
            services: builder =>
            {
                if (time is not null)
                {
                    builder.Services.AddSingleton(time);
                }
            },
            after: after,
            onTestHost: true);

    /// <summary>Asserts that a response is a problem of the given type, with the offset in the header and in the problem (or in neither, if null).</summary>
    public static async Task ShouldBeProblemAsync(this Task<HttpResponseMessage> sending, int status, string type, long? offset = null)
    {
        using HttpResponseMessage response = await sending;
        await response.ShouldBeProblemAsync(status, type, offset);
    }

    public static async Task ShouldBeProblemAsync(this HttpResponseMessage response, int status, string type, long? offset = null)
    {
        string body = await response.Content.ReadAsStringAsync();
        Assert.Equal((status, "application/problem+json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        using JsonDocument json = JsonDocument.Parse(body);
        Assert.Equal(type, json.RootElement.GetProperty("type").GetString());
        Assert.Equal(offset?.ToString(), response.Header("X-Start-Byte"));
        Assert.Equal(offset, json.RootElement.TryGetProperty("expected-offset", out JsonElement number) ? number.GetInt64() : null);
    }

    /// <summary>Asserts that a response is 200 with the offset, and whether the upload is complete.</summary>
    public static async Task ShouldHaveOffsetAsync(this Task<HttpResponseMessage> sending, long offset, bool complete = false)
    {
        using HttpResponseMessage response = await sending;
        Assert.Equal((200, offset.ToString()), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal((offset.ToString(), complete ? "true" : "false"), (response.Header("X-Start-Byte"), response.Header("X-Upload-Complete")));
        Assert.Equal(("text/plain", "no-store"), (response.Header("Content-Type"), response.Header("Cache-Control")));
    }

    /// <summary>Returns a body without Content-Length, which is sent with chunked transfer encoding.</summary>
    public static HttpContent Chunked(byte[] bytes) => new UnknownLength(bytes);

    private sealed class UnknownLength(byte[] bytes) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => stream.WriteAsync(bytes).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}

/// <summary>A body that sends its first part at once, and the rest when it is released.</summary>
internal sealed class BlockedContent : HttpContent
{
    private readonly byte[] _first;
    private readonly byte[] _rest;
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public BlockedContent(byte[] first, byte[] rest)
    {
        (_first, _rest) = (first, rest);
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    public void Release() => _release.TrySetResult();

    protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
    {
        await stream.WriteAsync(_first);
        await stream.FlushAsync();
        await _release.Task;
        await stream.WriteAsync(_rest);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _first.Length + _rest.Length;
        return true;
    }
}
