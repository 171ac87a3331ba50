using ResumableUploads.Client.Protocols;
using ResumableUploads.Client.Sources;

namespace ResumableUploads.Client.Engine;

/// <summary>Sends single requests with the headers of the app, and reads the responses.</summary>
internal sealed class RequestSender(HttpClient httpClient, ResumableUploadClientOptions clientOptions, UploadOptions options)
{
    private readonly UploadRequestOptions _request = options.Request;
    private bool _isUnauthorized;

    public TimeProvider TimeProvider => clientOptions.TimeProvider;

    /// <summary>Sends a request. If the response is 401 and the app can set a new access token, the request is sent once more.</summary>
    /// <param name="create">Creates the request.</param>
    /// <param name="expectContinue">Whether the body waits for 100 (Continue), so that an error can replace it.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <exception cref="SourceException">The content cannot be read.</exception>
    public async Task<SendResult> SendAsync(Func<StallWatchdog, HttpRequestMessage> create, bool expectContinue, CancellationToken cancellationToken)
    {
        SendResult result = await SendOnceAsync(create, expectContinue, cancellationToken);
        if (result.Response?.StatusCode == 401 && _request.BeforeRequest is not null && !_isUnauthorized)
        {
            _isUnauthorized = true;
            result = await SendOnceAsync(create, expectContinue, cancellationToken);
        }

        _isUnauthorized = false;
        return result;
    }

    private async Task<SendResult> SendOnceAsync(Func<StallWatchdog, HttpRequestMessage> create, bool expectContinue, CancellationToken cancellationToken)
    {
        using var watchdog = new StallWatchdog(options.Retry.StallTimeout, TimeProvider, cancellationToken);
        using HttpRequestMessage request = create(watchdog);
        Prepare(request, expectContinue);
        if (_request.BeforeRequest is { } beforeRequest)
        {
            // The app may show a sign-in page meanwhile.
            await beforeRequest(new UploadRequestContext(request, _isUnauthorized), cancellationToken);
        }

        watchdog.Touch();
        var content = request.Content as RangeContent;
        Uri uri = request.RequestUri!;
        try
        {
            using HttpResponseMessage response = await httpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watchdog.Token);
            watchdog.Touch();
            return new SendResult(await ServerResponse.ReadAsync(response, uri, clientOptions.MaxResponseBodySize, TimeProvider, watchdog.Token), null);
        }
        catch (Exception e) when (!IsDefect(e))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (content?.Failure is { } failure)
            {
                throw failure;
            }

            return new SendResult(null, watchdog.HasStalled ? new TimeoutException($"The connection made no progress for {options.Retry.StallTimeout}.", e) : e);
        }
        finally
        {
            if (content is not null)
            {
                // A handler of the app, or HTTP/2 after an early response, may still be sending.
                await watchdog.CancelAsync();
                await content.RevokeAsync();
            }
        }
    }

    /// <summary>Returns whether an exception indicates a bug. Handlers of the app can throw any other type, which counts as an interruption.</summary>
    private static bool IsDefect(Exception e) => e is ArgumentException or InvalidOperationException or NotSupportedException;

    private void Prepare(HttpRequestMessage request, bool expectContinue)
    {
        request.Version = httpClient.DefaultRequestVersion;
        request.VersionPolicy = httpClient.DefaultVersionPolicy;
        if (expectContinue && request.Content is not null)
        {
            request.Headers.ExpectContinue = true;
        }

        foreach ((string name, string value) in _request.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }
}
