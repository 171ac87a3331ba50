using ResumableUploads.Client.Protocols;

namespace ResumableUploads.Client.Engine;

/// <summary>Requests that send no content.</summary>
internal sealed class UploadOperations(IUploadProtocol protocol, RequestSender sender, UploadOptions options)
{
    /// <summary>Returns the status, or null if the upload does not exist.</summary>
    public async Task<UploadStatus?> GetStatusAsync(UploadReference upload, CancellationToken cancellationToken)
    {
        (Step step, ServerResponse response) = await SendAsync(upload, () => protocol.CreateStatus(upload), protocol.ReadStatus, cancellationToken);
        return step.Kind switch
        {
            StepKind.AtOffset => new UploadStatus(step.Offset!.Value, step.Length, step.IsComplete),
            StepKind.Gone when protocol.HasCreation => null,
            _ => throw Failure(step, response, upload),
        };
    }

    /// <summary>Deletes the upload, if it exists.</summary>
    public async Task DeleteAsync(UploadReference upload, CancellationToken cancellationToken)
    {
        (Step step, ServerResponse response) = await SendAsync(upload, () => protocol.CreateCancellation(upload), ReadCancellation, cancellationToken);
        if (step.Kind is not (StepKind.Complete or StepKind.Gone))
        {
            throw Failure(step, response, upload);
        }
    }

    /// <summary>Deletes the upload, unless it is complete.</summary>
    public async Task DeleteIncompleteAsync(UploadReference upload, CancellationToken cancellationToken)
    {
        try
        {
            if (await GetStatusAsync(upload, cancellationToken) is { IsComplete: false })
            {
                await DeleteAsync(upload, cancellationToken);
            }
        }
        catch (UploadException) when (protocol.HasCreation)
        {
            // The new upload has another URL, and the old one expires. With a file id, both could have the same name.
        }
    }

    private static Step ReadCancellation(ServerResponse response) =>
        response.StatusCode is 204 or 200 or 202 && !response.WasRedirected ? Step.Complete : ResponseClassifier.Classify(response, HeaderNames.UploadOffset);

    private async Task<(Step Step, ServerResponse Response)> SendAsync(
        UploadReference upload, Func<HttpRequestMessage> create, Func<ServerResponse, Step> read, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(options.Retry, sender.TimeProvider);
        while (true)
        {
            SendResult result = await sender.SendAsync(_ => create(), expectContinue: false, cancellationToken);
            Step step = result.Response is null ? Step.Retry : read(result.Response);
            if (step.Kind != StepKind.Retry)
            {
                return (step, result.Response!);
            }

            if (!await backoff.WaitAsync(result, cancellationToken))
            {
                throw new FailureFactory(upload).CreateExhausted(backoff.Retries, upload, result);
            }
        }
    }

    private static UploadException Failure(Step step, ServerResponse response, UploadReference upload) => new FailureFactory(upload).Create(
        step.Kind == StepKind.Failed ? step.Reason : step.Kind == StepKind.Gone ? UploadFailureReason.NotSupported : UploadFailureReason.UnexpectedResponse,
        step.Message ?? $"Unexpected response (status code {response.StatusCode}).",
        upload,
        response);
}
