using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.UnitTests.Hosting.Endpoints.Execution;

/// <summary>Expiration of an upload that is complete and whose endpoint has failed.</summary>
public class EndpointCompletionExpiryTests
{
    private const string Path = "/failing";
    private static readonly TimeSpan Expiration = TimeSpan.FromHours(1);
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes(5_000);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(56));
    private readonly List<string> _saved = [];
    private readonly List<(UploadState State, long Offset)> _expired = [];
    private int _runs;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnExpired_runs_before_deletion_and_can_move_content(bool isParked)
    {
        await using TestApp app = await StartAsync(TimeSpan.FromMinutes(10), isParked ? 1 : 5);
        await SendAsync(app).ShouldBeProblemAsync(503, Own + "handler-failed", Content.Length);
        Assert.Equal(isParked ? 1 : 0, _saved.Count);
        await Eventually.TrueAsync(() => Expired == 1, "the upload expired", () => _time.Advance(TimeSpan.FromMinutes(10)));
        Assert.Equal((UploadState.Received, Content.Length), Assert.Single(_expired));
        AssertIsSaved();
        Assert.Equal(1, _runs);
        Assert.Equal(0, await app.Client.StatusAsync("f", Path));
    }

    [Fact]
    public async Task OnExpired_runs_when_same_file_is_sent_again_before_the_sweep()
    {
        await using TestApp app = await StartAsync(TimeSpan.FromDays(10), 5);
        await SendAsync(app).ShouldBeProblemAsync(503, Own + "handler-failed", Content.Length);
        _time.Advance(Expiration);
        Assert.Equal(0, await app.Client.StatusAsync("f", Path));
        Assert.Empty(_saved);
        await app.Client.AppendAsync("f", 0, new ByteArrayContent(Content[..1000]), Content.Length, Path).ShouldHaveOffsetAsync(1000);
        Assert.Single(_expired);
        AssertIsSaved();
        Assert.Equal(1000, await app.Client.StatusAsync("f", Path));
    }

    private int Expired
    {
        get
        {
            lock (_expired)
            {
                return _expired.Count;
            }
        }
    }

    private void AssertIsSaved() => Assert.Equal(Content, File.ReadAllBytes(Assert.Single(_saved)));

    private static Task<HttpResponseMessage> SendAsync(TestApp app) =>
        app.Client.AppendAsync("f", 0, new ByteArrayContent(Content), Content.Length, Path, ("X-File-Name", "lost.bin"));

    private Task<TestApp> StartAsync(TimeSpan sweepInterval, int attempts)
    {
        string saved = "";
        return EndpointApp.StartAsync(
            app =>
            {
                saved = System.IO.Path.Combine(app.Environment.ContentRootPath, "saved");
                app.MapPost(Path, () =>
                {
                    Interlocked.Increment(ref _runs);
                    throw new InvalidOperationException("not today");
                }).WithResumableUploads();
            },
            options =>
            {
                options.Expiration = Expiration;
                options.Timeouts.SweepInterval = sweepInterval;
                options.Handler.MaxAttempts = attempts;
                options.OnDeadLettered = async (upload, cancellationToken) =>
                {
                    string path = await upload.MoveToDirectoryAsync(saved, cancellationToken);
                    lock (_saved)
                    {
                        _saved.Add(path);
                    }
                };
                options.OnExpired = (upload, _) =>
                {
                    lock (_expired)
                    {
                        _expired.Add((upload.State, upload.Offset));
                    }

                    return Task.CompletedTask;
                };
            },
            builder => builder.Services.AddSingleton<TimeProvider>(_time),
            onTestHost: true);
    }
}
