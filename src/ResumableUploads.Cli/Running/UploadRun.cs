using System.Text;
using ResumableUploads.Cli.Files;
using ResumableUploads.Cli.Output;
using ResumableUploads.Client;

namespace ResumableUploads.Cli.Running;

/// <summary>Uploads files.</summary>
internal sealed class UploadRun(RunContext context, IReadOnlyList<UploadItem> items, RunTotals totals) : IDisposable
{
    private const int MaxBodySize = 64 * 1024;
    private readonly ResumableUploadClient _client = context.CreateClient();
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Uploads the files. A file that fails does not stop the others, unless they would fail likewise.</summary>
    /// <param name="pause">The token that pauses the run.</param>
    public async Task RunAsync(CancellationToken pause)
    {
        using CancellationTokenRegistration registration = pause.Register(() => _stop.Cancel());
        await Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = context.Settings.Concurrency }, async (item, _) =>
        {
            if (!_stop.IsCancellationRequested)
            {
                await RunAsync(item);
            }
        });
        if (totals.CompletedCount == items.Count)
        {
            foreach (UploadItem item in items)
            {
                await context.ForgetCompletedAsync(item);
            }
        }
    }

    public void Dispose() => _stop.Dispose();

    private async Task RunAsync(UploadItem item)
    {
        try
        {
            if (await context.WasCompletedAsync(item))
            {
                Complete(item, new CliEvent(EventKind.Completed) { AlreadyComplete = true, Size = item.Length });
                return;
            }

            using IDisposable? uploadLock = context.TryLock(item, out bool isLocked);
            if (isLocked)
            {
                Fail(new CliEvent(EventKind.Failed) { Path = item.DisplayPath, Size = item.Length, Reason = "locked", Message = "Another process is uploading this file." }, null);
                return;
            }

            await UploadAsync(item);
        }
        catch (Exception e)
        {
            // Any exception fails this file only.
            Fail(FailureEvent.Create(item, e), e);
        }
    }

    private async Task UploadAsync(UploadItem item)
    {
        context.Output.Write(new CliEvent(EventKind.Started) { Path = item.DisplayPath, Size = item.Length });
        var progress = new ItemProgress(item, context.Output);
        UploadOptions options = context.CreateOptions(item);
        options.Retry.OnRetry = retry => context.Output.Write(new CliEvent(EventKind.Retry)
        {
            Path = item.DisplayPath,
            Attempt = retry.Attempt,
            Delay = Math.Round(retry.Delay.TotalSeconds, 3),
            StatusCode = (int?)retry.StatusCode,
            Message = Describe(retry),
        });
        try
        {
            UploadResponseMessage response = await SendAsync(item, options, progress);
            await context.SetCompletedAsync(item, response.Upload);
            Complete(item, ToEvent(response, progress.Offset));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            context.Output.Write(new CliEvent(EventKind.Paused)
            {
                Path = item.DisplayPath,
                Size = item.Length,
                Offset = progress.Offset,
                Message = context.GetKey(item) is null ? "Standard input cannot be continued without --id." : null,
            });
        }
    }

    private async Task<UploadResponseMessage> SendAsync(UploadItem item, UploadOptions options, ItemProgress progress)
    {
        if (!item.IsStandardInput)
        {
            return await _client.UploadAsync(context.Settings.To, item.Path, options, progress, _stop.Token);
        }

        await using Stream input = Console.OpenStandardInput();
        return await _client.UploadAsync(context.Settings.To, input, options, progress, _stop.Token);
    }

    private static string Describe(UploadRetry retry) =>
        retry.StatusCode is { } status ? (int)status < 300 ? "The server stored no new bytes." : $"The server returned status code {(int)status}."
        : retry.Exception is TimeoutException { Message: var message } ? message
        : $"The connection was lost ({retry.Exception!.GetBaseException().Message.TrimEnd('.')}).";

    private static CliEvent ToEvent(UploadResponseMessage response, long size)
    {
        string? body = response.Body.Length is > 0 and <= MaxBodySize && !response.IsBodyTruncated ? ReadText(response.Body.Span) : null;
        return new CliEvent(EventKind.Completed)
        {
            Size = size,
            AlreadyComplete = response.WasAlreadyComplete,
            StatusCode = (int)response.StatusCode,
            Location = GetLocation(response),
            Body = body,
        };
    }

    /// <summary>Returns the URL of what the app has created. The URL of the upload itself is a capability, which does not belong in logs.</summary>
    private static string? GetLocation(UploadResponseMessage response)
    {
        string? location = FailureEvent.GetHeader(response, "Content-Location") ?? FailureEvent.GetHeader(response, "Location");
        return location is not null && Uri.TryCreate(response.Upload.Uri, location, out Uri? url) && url != response.Upload.Uri ? location : null;
    }

    private static string? ReadText(ReadOnlySpan<byte> body)
    {
        try
        {
            return new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private void Complete(UploadItem item, CliEvent completed)
    {
        totals.AddCompleted();
        context.Output.Write(completed with { Path = item.DisplayPath });
    }

    private void Fail(CliEvent failed, Exception? exception)
    {
        var failure = exception as UploadException;
        totals.AddFailed(failure?.Reason);
        context.Output.Write(failed);

        // The other files would fail for the same reason.
        bool isForAll = failure is { Reason: UploadFailureReason.SignedOut or UploadFailureReason.NotSupported } or { Reason: UploadFailureReason.RetriesExhausted, Response: null };
        if (isForAll)
        {
            _stop.Cancel();
        }
    }
}
