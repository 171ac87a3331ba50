using System.Diagnostics.CodeAnalysis;
using ResumableUploads.Client.Engine;
using ResumableUploads.Client.Protocols;
using ResumableUploads.Client.Sources;

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
    /// <param name="progress">Receives the progress: what the server has acknowledged after each request, and within a request at most ten times per second what was sent.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests. A canceled upload stays on the server and can be continued.</param>
    /// <returns>The response of the app to the completed upload. Its status code is below 400.</returns>
    /// <exception cref="UploadException">The upload has failed.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in the second, required parameter.")]
    public Task<UploadResponseMessage> UploadAsync(
        Uri uri, string filePath, UploadOptions? options = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        return UploadFileAsync(Resolve(uri), filePath, Validate(options), progress, cancellationToken);
    }

    /// <summary>Uploads a stream from its current position to its end. If the server has a part of it, only the missing bytes are sent.</summary>
    /// <param name="uri">The URL of the upload endpoint, absolute or relative to <see cref="HttpClient.BaseAddress"/>.</param>
    /// <param name="stream">The stream. It is not disposed. If it cannot seek, the bytes that the server has not acknowledged are buffered.</param>
    /// <param name="options">The options, or <see langword="null"/> for the defaults.</param>
    /// <param name="progress">Receives the progress: what the server has acknowledged after each request, and within a request at most ten times per second what was sent.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests. A canceled upload stays on the server and can be continued.</param>
    /// <returns>The response of the app to the completed upload. Its status code is below 400.</returns>
    /// <exception cref="UploadException">The upload has failed.</exception>
    [SuppressMessage("ApiDesign", "RS0026", Justification = "The overloads differ in the second, required parameter.")]
    public Task<UploadResponseMessage> UploadAsync(
        Uri uri, Stream stream, UploadOptions? options = null, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentNullException.ThrowIfNull(stream);
        return UploadStreamAsync(Resolve(uri), stream, Validate(options), progress, cancellationToken);
    }

    /// <summary>Finds the upload of a file that an earlier call has not completed.</summary>
    /// <param name="uri">The URL of the upload endpoint, absolute or relative to <see cref="HttpClient.BaseAddress"/>.</param>
    /// <param name="filePath">The path of the file.</param>
    /// <param name="options">The options of the upload, or <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The upload, or <see langword="null"/> if the state store has none. In the file-id protocol, the upload does not need to exist on the server.</returns>
    public Task<UploadReference?> FindUploadAsync(Uri uri, string filePath, UploadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(uri);
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        return FindAsync(Resolve(uri), filePath, Validate(options), cancellationToken);
    }

    /// <summary>Gets the status of an upload on the server. A request that appends to the upload is stopped by this.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="options">The options of requests and retries, or <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>The status, or <see langword="null"/> if the upload does not exist. In the file-id protocol, an upload that does not exist has the offset 0.</returns>
    /// <exception cref="UploadException">The server has rejected the request, or the last retry has failed.</exception>
    public Task<UploadStatus?> GetStatusAsync(UploadReference upload, UploadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        return CreateOperations(upload.Protocol, Validate(options)).GetStatusAsync(upload, cancellationToken);
    }

    /// <summary>Deletes an upload on the server. It is no error if the upload does not exist.</summary>
    /// <param name="upload">The upload.</param>
    /// <param name="options">The options of requests and retries, or <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">The token to monitor for cancellation requests.</param>
    /// <returns>A task that completes when the upload is deleted.</returns>
    /// <exception cref="UploadException">The server has rejected the request, or the last retry has failed.</exception>
    public Task CancelAsync(UploadReference upload, UploadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(upload);
        return CreateOperations(upload.Protocol, Validate(options)).DeleteAsync(upload, cancellationToken);
    }

    private static UploadOptions Validate(UploadOptions? options)
    {
        options ??= new UploadOptions();
        OptionsValidator.Validate(options);
        return options;
    }

    private async Task<UploadResponseMessage> UploadFileAsync(Uri uri, string filePath, UploadOptions options, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        await using UploadSource source = SourceFactory.OpenFile(filePath, options);
        return await UploadAsync(uri, source, options, progress, cancellationToken);
    }

    private async Task<UploadResponseMessage> UploadStreamAsync(Uri uri, Stream stream, UploadOptions options, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        await using UploadSource source = SourceFactory.OfStream(stream, options);
        return await UploadAsync(uri, source, options, progress, cancellationToken);
    }

    private async Task<UploadResponseMessage> UploadAsync(Uri uri, UploadSource source, UploadOptions options, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var identity = await IdentifyAsync(uri, source, options, cancellationToken);
        IUploadProtocol protocol = CreateProtocol(options.Protocol);
        var sender = new RequestSender(_httpClient, _options, options);
        var description = new UploadDescription(
            uri, options.Request.Method, options.FileName ?? source.FileName, options.ContentType, source.Length, options.Request.Metadata.ToDictionary(StringComparer.Ordinal));
        var keeper = new UploadStateKeeper(_options.StateStore, identity, CreateFilter(uri, options), new UploadOperations(protocol, sender, options));
        return await new UploadEngine(protocol, sender, source, description, options, keeper, new ProgressReporter(progress, _options.TimeProvider)).RunAsync(cancellationToken);
    }

    private async Task<UploadReference?> FindAsync(Uri uri, string filePath, UploadOptions options, CancellationToken cancellationToken)
    {
        UploadIdentity identity;
        if (options.Id is { } id)
        {
            identity = UploadIdentity.OfId(uri, id, options.Protocol);
        }
        else
        {
            await using UploadSource source = SourceFactory.OpenFile(filePath, options);
            identity = await IdentifyAsync(uri, source, options, cancellationToken);
        }

        UploadStateEntry? state = _options.StateStore is { } store && identity.StateKey is { } key ? await store.GetAsync(key, cancellationToken) : null;
        UploadReference? stored = state is not null && CreateFilter(uri, options).IsUsable(state) ? state.Upload : null;
        return stored ?? (options.Protocol == UploadProtocol.FileId ? new UploadReference(options.Protocol, uri, identity.FileId) : null);
    }

    private StateFilter CreateFilter(Uri uri, UploadOptions options) => new(uri, options.Protocol, _options.AllowOtherHosts);

    private static async Task<UploadIdentity> IdentifyAsync(Uri uri, UploadSource source, UploadOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await UploadIdentity.OfAsync(uri, source, options, cancellationToken);
        }
        catch (SourceException e)
        {
            throw new UploadException(e.Reason, e.Message, e.InnerException);
        }
    }

    private Uri Resolve(Uri uri) =>
        uri.IsAbsoluteUri ? uri
        : _httpClient.BaseAddress is { } baseAddress ? new Uri(baseAddress, uri)
        : throw new ArgumentException("The URL is relative, and the HttpClient has no BaseAddress.", nameof(uri));

    private IUploadProtocol CreateProtocol(UploadProtocol protocol) => protocol switch
    {
        UploadProtocol.Tus => new TusProtocol(_options.AllowOtherHosts),
        UploadProtocol.Ietf => new IetfProtocol(_options.AllowOtherHosts),
        _ => new FileIdProtocol(),
    };

    private UploadOperations CreateOperations(UploadProtocol protocol, UploadOptions options) =>
        new(CreateProtocol(protocol), new RequestSender(_httpClient, _options, options), options);
}
