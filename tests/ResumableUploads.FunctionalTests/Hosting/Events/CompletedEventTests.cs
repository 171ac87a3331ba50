using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Events;

public partial class CompletedEventTests
{
    [Fact]
    public async Task OnCompleted_receives_names_type_size_and_digest()
    {
        byte[] file = RandomNumberGenerator.GetBytes(1000);
        string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(file))}:";
        byte[]? computed = null;
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                Func<CompletedUpload, CancellationToken, Task> collect = options.OnCompleted!;
                options.OnCompleted = async (upload, cancellationToken) =>
                {
                    computed = await upload.ComputeDigestAsync(HashAlgorithmName.SHA512, cancellationToken);
                    await collect(upload, cancellationToken);
                };
            },
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync(
            "f", 0, file, 1000, ("X-File-Name", "a%2Fb%3A.txt"), ("Content-Type", "image/png"), ("Repr-Digest", digest));

        FinishedUpload finished = Assert.Single(app.Finished);
        CompletedUpload upload = finished.Upload;
        Assert.Equal(("b_.txt", "a/b:.txt", "image/png"), (upload.FileName, upload.RawFileName, upload.ContentType));
        Assert.Equal((1000, 1000L, digest), (upload.Size, upload.Length, upload.Digest));
        Assert.Equal((1, false), (upload.Attempt, upload.IsRepeat));
        Assert.Equal(file, finished.Content);
        Assert.Equal(SHA512.HashData(file), computed);
        Assert.Equal("1000", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(204)]
    [InlineData(205)]
    [InlineData(304)]
    public async Task Body_of_response_without_content_is_not_sent(int status)
    {
        int runs = 0;
        await using TestApp app = await TestApp.StartAsync(options => options.OnCompleted = (upload, _) =>
        {
            runs++;
            upload.Response = UploadResponse.Text("not sent", status);
            return Task.CompletedTask;
        });
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[3], 3);
        using HttpResponseMessage replay = await app.Client.AppendAsync("f", 3, [], 3);

        Assert.Equal((status, status, 1), ((int)response.StatusCode, (int)replay.StatusCode, runs));
        Assert.Equal(("", ""), (await response.Content.ReadAsStringAsync(), await replay.Content.ReadAsStringAsync()));
        Assert.Equal(3, await app.Client.StatusAsync("f"));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(201)]
    [InlineData(422)]
    public async Task Response_of_OnCompleted_is_sent_and_replayed(int status)
    {
        int runs = 0;
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCompleted = (upload, _) =>
            {
                runs++;
                upload.Response = UploadResponse.Json(new Receipt(upload.FileName), ReceiptJson.Default.Receipt, status);
                return Task.CompletedTask;
            },
            onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[10], 10, ("X-File-Name", "a.txt"));
        using HttpResponseMessage again = await app.Client.AppendAsync("f", 10, [], 10);

        foreach (HttpResponseMessage response in (HttpResponseMessage[])[first, again])
        {
            Assert.Equal((status, "application/json", "true"), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, response.Header("X-Upload-Complete")));
            Assert.Equal("""{"Name":"a.txt"}""", await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task Failed_OnCompleted_is_retried_with_same_key_until_dead_lettered()
    {
        var runs = new List<(string Key, int Attempt, bool IsRepeat)>();
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Handler.MaxAttempts = 2;
                options.Handler.RetryDelay = TimeSpan.Zero;
                options.OnCompleted = (upload, _) =>
                {
                    runs.Add((upload.Key.ToString(), upload.Attempt, upload.IsRepeat));
                    throw new InvalidOperationException("The handler failed.");
                };
            },
            onTestHost: true);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new byte[10], 10);
        using HttpResponseMessage second = await app.Client.AppendAsync("f", 10, [], 10);
        using HttpResponseMessage deadLettered = await app.Client.AppendAsync("f", 10, [], 10);

        Assert.Equal((503, 503, 500), ((int)first.StatusCode, (int)second.StatusCode, (int)deadLettered.StatusCode));
        Assert.NotNull(first.Header("Retry-After"));
        Assert.Equal([(runs[0].Key, 1, false), (runs[0].Key, 2, true)], runs);
    }

    [Fact]
    public async Task Services_are_of_request_scope_and_of_new_scope_in_background()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var inHandler = new List<Scoped>();
        Scoped? ofRequest = null;
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCompleted = (upload, _) =>
            {
                Scoped scoped = upload.Services.GetRequiredService<Scoped>();
                Assert.False(scoped.IsDisposed);
                lock (inHandler)
                {
                    inHandler.Add(scoped);
                }

                return upload.IsRepeat ? Task.CompletedTask : throw new InvalidOperationException("The handler failed.");
            },
            services: builder => builder.Services.AddScoped<Scoped>().AddSingleton<TimeProvider>(time),
            before: app => app.Use((context, next) =>
            {
                ofRequest = context.RequestServices.GetRequiredService<Scoped>();
                return next(context);
            }),
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[10], 10);
        await Eventually.TrueAsync(() => inHandler.Count == 2 && inHandler[1].IsDisposed, "the handler ran again", () => time.Advance(TimeSpan.FromMinutes(1)));

        Assert.Same(ofRequest, inHandler[0]);
        Assert.NotSame(ofRequest, inHandler[1]);
    }

    [Fact]
    public async Task Disconnected_client_does_not_cancel_handler_and_receives_response_later()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var resume = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var clientDisconnected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bool wasCanceled = true, servicesWork = false;
        int runs = 0;
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnCompleted = async (upload, cancellationToken) =>
            {
                runs++;
                started.SetResult();
                await resume.Task;
                wasCanceled = cancellationToken.IsCancellationRequested;
                servicesWork = !upload.Services.GetRequiredService<Scoped>().IsDisposed;
                upload.Response = UploadResponse.Text("kept", 201);
            },
            services: static builder => builder.Services.AddScoped<Scoped>(),
            before: app => app.Use((context, next) =>
            {
                context.RequestAborted.Register(() => clientDisconnected.TrySetResult());
                return next(context);
            }));
        await using (RawConnection connection = await RawConnection.OpenAsync(app.Address))
        {
            await connection.SendHeadAsync("POST /upload", "X-File-Id: f", "X-File-Size: 4", "Content-Length: 4");
            await connection.SendAsync("abcd");
            await Eventually.WithinAsync(started.Task);
            connection.Reset();
        }

        await Eventually.WithinAsync(clientDisconnected.Task);
        Task<HttpResponseMessage> later = app.Client.AppendAsync("f", 4, [], 4);
        resume.SetResult();
        using HttpResponseMessage response = await Eventually.WithinAsync(later);

        Assert.Equal((201, "kept"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.False(wasCanceled);
        Assert.True(servicesWork);
        Assert.Equal(1, runs);
    }

    [Fact]
    public async Task OnExpired_is_called_after_deletion_with_scoped_services()
    {
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        UploadExpired? expired = null;
        bool hadServices = false;
        await using TestApp app = await TestApp.StartAsync(
            options => options.OnExpired = (upload, _) =>
            {
                hadServices = !upload.Services.GetRequiredService<Scoped>().IsDisposed;
                expired = upload;
                return Task.CompletedTask;
            },
            services: builder => builder.Services.AddScoped<Scoped>().AddSingleton<TimeProvider>(time),
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new byte[10], 30, ("X-File-Name", "a.txt"), ("Content-Type", "text/plain"));
        time.Advance(TimeSpan.FromDays(6.9));
        Assert.Equal(10, await app.Client.StatusAsync("f"));
        await Eventually.TrueAsync(() => expired is not null, "the upload expired", () => time.Advance(TimeSpan.FromHours(1)));

        Assert.Equal(("a.txt", "text/plain", 10, 30L), (expired!.FileName, expired.ContentType, expired.Offset, expired.Length));
        Assert.Equal(UploadState.Receiving, expired.State);
        Assert.True(hadServices);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(app.Directory, "uploads"), "*.data", SearchOption.AllDirectories));
    }

    private sealed class Scoped : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }

    internal sealed record Receipt(string Name);

    [JsonSerializable(typeof(Receipt))]
    internal sealed partial class ReceiptJson : JsonSerializerContext;
}
