using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using ResumableUploads.Blazor.Interop;

namespace ResumableUploads.Blazor;

/// <summary>Renders the element <c>&lt;resumable-upload&gt;</c>: people choose or drop files, and the browser uploads them to an endpoint of ResumableUploads.</summary>
public sealed partial class ResumableUpload : ComponentBase, IAsyncDisposable
{
    private const string ModulePath = "./_content/ResumableUploads.Blazor/ResumableUpload.razor.js";
    private static readonly BrowserUploadOptions DefaultOptions = new();

    private readonly Events _events;
    private ElementReference _element;
    private TaskCompletionSource<Connection> _connection = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _connectedUrl;
    private UploadSettings? _settings;
    private bool _isConnecting;
    private bool _isDisposed;

    /// <summary>Initializes a new instance of the <see cref="ResumableUpload"/> class.</summary>
    public ResumableUpload() => _events = new Events(this);

    /// <summary>Gets or sets the upload endpoint. Another URL replaces the element and its list of uploads.</summary>
    [Parameter, EditorRequired]
    public string Url { get; set; } = "";

    /// <summary>Gets or sets the name in a form. Without it, a form does not contain the ids of the uploads.</summary>
    [Parameter]
    public string? Name { get; set; }

    /// <summary>Gets or sets a value indicating whether a form requires at least one file.</summary>
    [Parameter]
    public bool Required { get; set; }

    /// <summary>Gets or sets a value indicating whether no files can be added. Running uploads continue.</summary>
    [Parameter]
    public bool Disabled { get; set; }

    /// <summary>Gets or sets the accepted types, such as <c>image/*,.pdf</c>.</summary>
    [Parameter]
    public string? Accept { get; set; }

    /// <summary>Gets or sets a value indicating whether several files can be added. The default is <see langword="false"/>, as for <c>InputFile</c>.</summary>
    [Parameter]
    public bool Multiple { get; set; }

    /// <summary>Gets or sets the maximum number of files. It replaces <see cref="Multiple"/>.</summary>
    [Parameter]
    public int? MaxFiles { get; set; }

    /// <summary>Gets or sets the maximum size of a file in bytes. The limit of the server applies without it too.</summary>
    [Parameter]
    public long? MaxFileSize { get; set; }

    /// <summary>Gets or sets a value indicating whether there is a button to choose a folder.</summary>
    [Parameter]
    public bool Folders { get; set; }

    /// <summary>Gets or sets a value indicating whether files can be dropped anywhere on the page.</summary>
    [Parameter]
    public bool PageWide { get; set; }

    /// <summary>Gets or sets a page that opens in a new tab if the session has ended.</summary>
    [Parameter]
    public string? SignInUrl { get; set; }

    /// <summary>Gets or sets texts that replace those of the language, by their keys.</summary>
    [Parameter]
    public IReadOnlyDictionary<string, string>? Texts { get; set; }

    /// <summary>Gets or sets options such as request headers. They are read when the element is created.</summary>
    [Parameter]
    public BrowserUploadOptions? Options { get; set; }

    /// <summary>
    /// Gets or sets a callback that returns additional headers of each request, such as an access token. They replace those of <see cref="BrowserUploadOptions.Headers"/> with the same name. Set it before
    /// the element is created.
    /// </summary>
    /// <remarks>
    /// On Blazor Server, each request of the browser waits for a call over the circuit. Without a circuit, the browser uses the headers of the previous request. If the callback throws, the upload is
    /// continued later, as after a lost connection.
    /// </remarks>
    [Parameter]
    public Func<UploadHeadersContext, Task<IReadOnlyDictionary<string, string>>>? HeadersProvider { get; set; }

    /// <summary>
    /// Gets or sets the maximum size of <see cref="BrowserUploadResult.Body"/> in bytes. The default is 4,096. On Blazor Server, a message with a larger body can exceed
    /// <c>HubOptions.MaximumReceiveMessageSize</c>, which ends the circuit.
    /// </summary>
    [Parameter]
    public int MaxResponseBodySize { get; set; } = 4096;

    /// <summary>Gets or sets the handler of completed uploads.</summary>
    [Parameter]
    public EventCallback<UploadCompletedEventArgs> OnUploadCompleted { get; set; }

    /// <summary>Gets or sets the handler of failed uploads.</summary>
    [Parameter]
    public EventCallback<UploadFailedEventArgs> OnUploadFailed { get; set; }

    /// <summary>Gets or sets the handler of changed states. States that last less than 250 ms can be skipped, except those that end an upload.</summary>
    [Parameter]
    public EventCallback<UploadStateChangedEventArgs> OnStateChanged { get; set; }

    /// <summary>Gets or sets the handler of the button <em>Sign in</em> if there is no <see cref="SignInUrl"/>. Call <see cref="RetryAsync"/> when the user is signed in.</summary>
    [Parameter]
    public EventCallback<UploadSignInEventArgs> OnSignIn { get; set; }

    /// <summary>Gets or sets the receiver of the progress, which is reported at most four times a second.</summary>
    [Parameter]
    public IProgress<BrowserUploadProgress>? Progress { get; set; }

    /// <summary>Gets or sets content that is shown until the script is loaded.</summary>
    [Parameter]
    public RenderFragment? ChildContent { get; set; }

    /// <summary>Gets or sets other attributes of the element, such as <c>class</c> and <c>style</c>.</summary>
    [Parameter(CaptureUnmatchedValues = true)]
    public IReadOnlyDictionary<string, object>? AdditionalAttributes { get; set; }

    /// <summary>Gets the uploads that the browser has reported, in the order in which they were added. Offsets are reported only with <see cref="Progress"/>.</summary>
    public IReadOnlyList<BrowserUpload> Uploads => _connection.Task.IsCompletedSuccessfully ? _connection.Task.Result.Receiver.Uploads : [];

    [Inject]
    private IJSRuntime JSRuntime { get; set; } = default!;

    /// <summary>
    /// Gets a value indicating whether files can be added. The first interactive render replaces a prerendered element, which would lose them. A page without
    /// interactivity keeps its element.
    /// </summary>
    private bool IsReady => RendererInfo.IsInteractive || AssignedRenderMode is not null ? _connection.Task.IsCompletedSuccessfully : true;

    /// <summary>Pauses an upload, or all.</summary>
    /// <param name="upload">The upload, or <see langword="null"/> to pause all uploads and to start none.</param>
    /// <returns>A task that completes when the browser has paused.</returns>
    /// <exception cref="InvalidOperationException">The component is not interactive, for example during prerendering.</exception>
    public Task PauseAsync(BrowserUpload? upload = null) => SendAsync("pause", upload);

    /// <summary>Continues a paused upload, or all.</summary>
    /// <param name="upload">The upload, or <see langword="null"/> for all.</param>
    /// <returns>A task that completes when the browser has continued.</returns>
    /// <exception cref="InvalidOperationException">The component is not interactive, for example during prerendering.</exception>
    public Task ResumeAsync(BrowserUpload? upload = null) => SendAsync("resume", upload);

    /// <summary>Cancels an upload, or all that are not completed, and deletes them from the server.</summary>
    /// <param name="upload">The upload, or <see langword="null"/> for all.</param>
    /// <returns>A task that completes when the browser has stopped sending. The deletion continues in the browser.</returns>
    /// <exception cref="InvalidOperationException">The component is not interactive, for example during prerendering.</exception>
    public Task CancelAsync(BrowserUpload? upload = null) => SendAsync("cancel", upload);

    /// <summary>Starts a failed upload again, or all that can succeed.</summary>
    /// <param name="upload">The upload, or <see langword="null"/> for all.</param>
    /// <returns>A task that completes when the browser has started them.</returns>
    /// <exception cref="InvalidOperationException">The component is not interactive, for example during prerendering.</exception>
    public Task RetryAsync(BrowserUpload? upload = null) => SendAsync("retry", upload);

    /// <summary>Removes the completed uploads from the list.</summary>
    /// <returns>A task that completes when the browser has removed them.</returns>
    /// <exception cref="InvalidOperationException">The component is not interactive, for example during prerendering.</exception>
    public Task ClearFinishedAsync() => SendAsync("clearFinished", null);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (!_isDisposed)
        {
            _isDisposed = true;
            await DisconnectAsync();
        }
    }

    /// <inheritdoc />
    protected override void OnParametersSet()
    {
        ArgumentException.ThrowIfNullOrEmpty(Url);
        ArgumentOutOfRangeException.ThrowIfNegative(MaxResponseBodySize);
    }

    /// <inheritdoc />
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        // A render during the calls below is handled by the running loop.
        if (_isConnecting)
        {
            return;
        }

        _isConnecting = true;
        try
        {
            while (!_isDisposed && await SynchronizeAsync())
            {
            }
        }
        catch (Exception exception) when (exception is JSDisconnectedException || (_isDisposed && exception is JSException or ObjectDisposedException or OperationCanceledException))
        {
            // The circuit or the element is gone. The uploads of a page whose circuit is lost continue in the browser.
        }
        finally
        {
            _isConnecting = false;
        }
    }

    private static string? FormatNumber(long? value) => value?.ToString(CultureInfo.InvariantCulture);

    /// <summary>Connects the element, or sends changed settings. Returns <see langword="false"/> if there is nothing to do.</summary>
    private async Task<bool> SynchronizeAsync()
    {
        var settings = new UploadSettings
        {
            ReportsProgress = Progress is not null,
            HandlesSignIn = OnSignIn.HasDelegate,
            ProvidesHeaders = HeadersProvider is not null,
            MaxResponseBodySize = MaxResponseBodySize,
            Texts = Texts,
            Options = Options ?? (HeadersProvider is null ? null : DefaultOptions),
        };
        if (_connectedUrl != Url)
        {
            string url = Url;
            await DisconnectAsync();
            _settings = settings;
            Connection connection = await Connection.OpenAsync(JSRuntime, ModulePath, _element, _events, Serialize(settings));
            if (_isDisposed)
            {
                await connection.DisposeAsync();
                return false;
            }

            _connectedUrl = url;
            _connection.TrySetResult(connection);
            StateHasChanged();
            return true;
        }

        if (settings != _settings)
        {
            _settings = settings;
            await (await _connection.Task).Handle.InvokeVoidAsync("update", Serialize(settings));
            return true;
        }

        return false;
    }

    private async Task DisconnectAsync()
    {
        TaskCompletionSource<Connection> previous = _connection;
        _connectedUrl = null;
        if (_isDisposed)
        {
            previous.TrySetException(new ObjectDisposedException(nameof(ResumableUpload)));
        }

        if (previous.Task.IsCompletedSuccessfully)
        {
            _connection = new(TaskCreationOptions.RunContinuationsAsynchronously);
            await (await previous.Task).DisposeAsync();
        }
    }

    private async Task SendAsync(string method, BrowserUpload? upload)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!RendererInfo.IsInteractive)
        {
            throw new InvalidOperationException("The component is not interactive. Use an interactive render mode, and call this method after the first render.");
        }

        Connection connection = await _connection.Task;
        await connection.Handle.InvokeVoidAsync(method, upload?.Key);
    }

    private static JsonElement Serialize(UploadSettings settings) => JsonSerializer.SerializeToElement(settings, UploadJsonContext.Default.UploadSettings);

    /// <summary>Raises the events of the component.</summary>
    private sealed class Events(ResumableUpload component) : IUploadEvents
    {
        public async Task RaiseAsync(ElementEvent uploadEvent)
        {
            try
            {
                await (uploadEvent switch
                {
                    _ when component._isDisposed => Task.CompletedTask,
                    { Kind: ElementEventKind.SignIn } => component.OnSignIn.InvokeAsync(new(uploadEvent.Upload)),
                    { Kind: ElementEventKind.State } => RaiseStateAsync(uploadEvent.Upload, uploadEvent.PreviousState),
                    _ => Task.CompletedTask,
                });
            }
            catch (Exception exception)
            {
                await component.DispatchExceptionAsync(exception);
            }
        }

        public async Task<IReadOnlyDictionary<string, string>> GetHeadersAsync(bool isUnauthorized) =>
            component.HeadersProvider is { } provider ? await provider(new UploadHeadersContext(isUnauthorized)) : new Dictionary<string, string>();

        public void ReportProgress(BrowserUploadProgress progress) => component.Progress?.Report(progress);

        private async Task RaiseStateAsync(BrowserUpload upload, BrowserUploadState? previousState)
        {
            if (upload.State != previousState)
            {
                await component.OnStateChanged.InvokeAsync(new(upload, previousState));
            }

            if (upload is { State: BrowserUploadState.Completed, Result: { } result })
            {
                await component.OnUploadCompleted.InvokeAsync(new(upload, result));
            }
            else if (upload is { State: BrowserUploadState.Failed, Failure: { } failure })
            {
                await component.OnUploadFailed.InvokeAsync(new(upload, failure));
            }
        }
    }
}
