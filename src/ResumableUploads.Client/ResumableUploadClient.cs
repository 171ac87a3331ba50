using System.Diagnostics.CodeAnalysis;

namespace ResumableUploads.Client;

/// <summary>Uploads files and streams, and continues after broken connections and restarts.</summary>
/// <remarks>
/// Register it as a typed client with <c>services.AddHttpClient&lt;ResumableUploadClient&gt;()</c>. Set <see cref="HttpClient.Timeout"/> to <see cref="Timeout.InfiniteTimeSpan"/>: it limits the time of
/// a whole request, and an upload that it interrupts continues with another request.
/// </remarks>
public sealed class ResumableUploadClient
{
    private readonly HttpClient _httpClient;
    private readonly ResumableUploadClientOptions _options;

    // One constructor: a factory of typed clients requires that only one accepts an HttpClient.

    /// <summary>Initializes a new instance of the <see cref="ResumableUploadClient"/> class.</summary>
    /// <param name="httpClient">The client that sends the requests. It is not disposed.</param>
    /// <param name="options">The options, or <see langword="null"/> for the defaults.</param>
    public ResumableUploadClient(HttpClient httpClient, ResumableUploadClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(httpClient);
        _httpClient = httpClient;
        _options = options ?? new ResumableUploadClientOptions();
    }

    /// <summary>Uploads a file. If the server has a part of it, only the missing bytes are sent.</summary>
    /// <param name="uri">The URL of the upload endpoint, absolute or relative to <see cref="HttpClient.BaseAddress"/>.</param>
    /// <param name="filePath">The path of the file.</param>
    /// <param name="options">The options, or <see langword="null"/> for the defaults.</param>
    /// <param name="progress">Receives the progress at most ten times per second, and at the end.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests. A canceled upload stays on the server and can be continued.</param>
    /// <returns>The response of the app to the completed upload. Its status code is below 400.</returns>
    /// <exception cref="UploadException">The upload has failed.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in the second, required parameter.")]
    public Task<UploadResponse> UploadAsync(
        Uri uri, string filePath, UploadOptions? options = null, IProgress<UploadProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Uploads a stream from its current position to its end. If the server has a part of it, only the missing bytes are sent.</summary>
    /// <param name="uri">The URL of the upload endpoint, absolute or relative to <see cref="HttpClient.BaseAddress"/>.</param>
    /// <param name="stream">The stream. It is not disposed. If it cannot seek, the bytes that the server has not acknowledged are buffered.</param>
    /// <param name="options">The options, or <see langword="null"/> for the defaults.</param>
    /// <param name="progress">Receives the progress at most ten times per second, and at the end.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests. A canceled upload stays on the server and can be continued.</param>
    /// <returns>The response of the app to the completed upload. Its status code is below 400.</returns>
    /// <exception cref="UploadException">The upload has failed.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in the second, required parameter.")]
    public Task<UploadResponse> UploadAsync(
        Uri uri, Stream stream, UploadOptions? options = null, IProgress<UploadProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Finds the upload of a file that an earlier call has not completed.</summary>
    /// <param name="uri">The URL of the upload endpoint, absolute or relative to <see cref="HttpClient.BaseAddress"/>.</param>
    /// <param name="filePath">The path of the file.</param>
    /// <param name="options">The options of the upload, or <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or <see langword="null"/> if the state store has none. In the file-id protocol, the upload does not need to exist on the server.</returns>
    public Task<UploadReference?> FindUploadAsync(Uri uri, string filePath, UploadOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Gets the status of an upload on the server. A request that appends to the upload is stopped by this.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="options">The options of requests and retries, or <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status, or <see langword="null"/> if the upload does not exist. In the file-id protocol, an upload that does not exist has the offset 0.</returns>
    /// <exception cref="UploadException">The server has rejected the request, or the last retry has failed.</exception>
    public Task<UploadStatus?> GetStatusAsync(UploadReference upload, UploadOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <summary>Deletes an upload on the server. It is no error if the upload does not exist.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="options">The options of requests and retries, or <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the upload is deleted.</returns>
    /// <exception cref="UploadException">The server has rejected the request, or the last retry has failed.</exception>
    public Task CancelAsync(UploadReference upload, UploadOptions? options = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
