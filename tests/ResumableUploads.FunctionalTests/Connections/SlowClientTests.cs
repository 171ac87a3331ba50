using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Connections;

/// <summary>The idle timeout and the minimum data rate, with a clock that the test advances.</summary>
public class SlowClientTests
{
    private const int Rate = 100;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(200_003);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Theory]
    [InlineData(Wire.ContentLength)]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Idle_client_receives_408_and_its_bytes_are_kept(Wire wire)
    {
        await using WatchedApp app = await StartAsync(wire);
        await using LiveUpload sender = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, 50_000));
        await app.Store.WaitingAsync("f", 50_000);

        _time.Advance(Minute - TimeSpan.FromSeconds(1));
        await app.Store.WaitingAsync("f", 50_000);
        _time.Advance(TimeSpan.FromSeconds(1));

        UploadReply? reply = await sender.ReadResponseAsync();
        Assert.Equal(408, reply?.Status);
        Assert.Contains("idle", reply!.Body, StringComparison.Ordinal);
        Assert.Equal("50000", reply.StartByte);
        await app.FinishAsync("f", 50_000, File);
    }

    [Theory]
    [InlineData(Wire.Chunked)]
    [InlineData(Wire.Http2)]
    public async Task Client_below_MinDataRate_receives_408_after_period_and_its_bytes_are_kept(Wire wire)
    {
        await using WatchedApp app = await StartAsync(wire);
        await using LiveUpload sender = await app.BeginAsync(wire, "f", 0, File.Length, File.Length);
        Task<UploadReply?> pendingReply = sender.ReadResponseAsync();
        int sent = 0;
        while (sent < 120)
        {
            sent++;
            try
            {
                await sender.SendAsync(File.AsMemory(sent - 1, 1));
            }
            catch (Exception e) when (LiveUpload.IsSendFailure(e))
            {
                break;
            }

            await app.Store.UntilAsync("f", sight => (sight.Stored >= sent && sight.IsWaiting) || (sight.Stored > 0 && sight.Running == 0));
            if (app.Store.SightOf("f").Running == 0)
            {
                break;
            }

            Assert.False(pendingReply.IsCompleted && sent < 60);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        UploadReply? reply = await pendingReply;
        Assert.Equal(408, reply?.Status);
        Assert.Contains("too-slow", reply!.Body, StringComparison.Ordinal);

        // The period is one minute, and the rate is checked four times per period.
        Assert.InRange(sent, 61, 77);
        long status = await app.Client.StatusAsync("f");
        Assert.InRange(status, 59, sent);
        await app.FinishAsync("f", status, File);
    }

    [Theory]
    [InlineData(1, Rate + 10)]
    [InlineData(10, 10 * (Rate + 10))]
    [InlineData(59, 120 * Rate)]
    public async Task Client_at_MinDataRate_completes_upload(int seconds, int bytes)
    {
        await using WatchedApp app = await StartAsync(Wire.Chunked);
        await using LiveUpload sender = await app.BeginAsync(Wire.Chunked, "f", 0, File.Length, File.Length);
        int sent = 0;
        for (int elapsed = 0; elapsed < 600; elapsed += seconds)
        {
            await sender.SendAsync(File.AsMemory(sent, bytes));
            sent += bytes;
            await app.Store.WaitingAsync("f", sent);
            _time.Advance(TimeSpan.FromSeconds(seconds));
        }

        await sender.SendAsync(File.AsMemory(sent));
        await sender.EndAsync();
        Assert.Equal(200, (await sender.ReadResponseAsync())?.Status);
        app.AssertFinished(File);
    }

    [Fact]
    public async Task Slow_disk_does_not_count_against_MinDataRate()
    {
        await using WatchedApp app = await StartAsync(Wire.ContentLength);
        await using LiveUpload sender = await app.BeginAsync(Wire.ContentLength, "f", 0, File.Length, File.Length);
        await sender.SendAsync(File.AsMemory(0, 1_000));
        await app.Store.WaitingAsync("f", 1_000);

        // The timer is running. Each write then takes half an hour.
        for (int offset = 1_000, i = 0; i < 3; i++, offset += 1_000)
        {
            var writing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            app.Store.AfterRead = () =>
            {
                writing.TrySetResult();
                return written.Task;
            };
            await sender.SendAsync(File.AsMemory(offset, 1_000));
            await writing.Task.WaitAsync(TimeSpan.FromMinutes(2));
            for (int minute = 0; minute < 30; minute++)
            {
                _time.Advance(Minute);
            }

            app.Store.AfterRead = null;
            written.SetResult();
            await app.Store.WaitingAsync("f", offset + 1_000);
        }

        await sender.SendAsync(File.AsMemory(4_000));
        Assert.Equal(200, (await sender.ReadResponseAsync())?.Status);
        app.AssertFinished(File);
    }

    private Task<WatchedApp> StartAsync(Wire wire) =>
        WatchedApp.StartAsync(
            wire,
            static options =>
            {
                options.Timeouts.IdleTimeout = Minute;
                options.Limits.MinDataRate = Rate;
                options.Limits.MinDataRatePeriod = Minute;
            },
            time: _time);
}
