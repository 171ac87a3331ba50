using System.Text.Json;
using Microsoft.JSInterop;

namespace ResumableUploads.Blazor.Interop;

/// <summary>Receives the messages of the JavaScript module, and raises the events of a component one after the other.</summary>
internal sealed class UploadReceiver(IUploadEvents component)
{
    /// <summary>The maximum number of events that wait for a handler. The browser keeps the others and sends them later.</summary>
    private const int MaxQueuedEvents = 1000;

    /// <summary>The maximum number of listed uploads, so that a client cannot fill the memory of a server.</summary>
    private const int MaxUploads = 10_000;

    private readonly SortedDictionary<int, BrowserUpload> _uploads = [];
    private readonly Queue<ElementEvent> _events = [];
    private long _lastSequence;
    private bool _isProcessing;
    private HeadersCall? _headersCall;

    /// <summary>Gets the uploads in the order in which they were added.</summary>
    public IReadOnlyList<BrowserUpload> Uploads => [.. _uploads.Values];

    /// <summary>Accepts a message, and returns without waiting for the handlers of the app.</summary>
    /// <param name="json">An <see cref="UploadMessage"/>.</param>
    /// <returns><see langword="false"/> if the message must be sent again later.</returns>
    [JSInvokable]
    public bool Receive(JsonElement json)
    {
        UploadMessage message = json.Deserialize(UploadJsonContext.Default.UploadMessage) ?? throw new JsonException("The message is null.");
        if (message.Events.Contains(null!) || message.Progress?.Running.Contains(null!) == true)
        {
            throw new JsonException("The message contains null.");
        }

        if (message.Sequence <= _lastSequence)
        {
            return true;
        }

        if (_events.Count + message.Events.Count > MaxQueuedEvents)
        {
            return false;
        }

        _lastSequence = message.Sequence;
        foreach (ElementEvent uploadEvent in message.Events)
        {
            _uploads.TryGetValue(uploadEvent.Upload.Key, out BrowserUpload? previous);
            _events.Enqueue(uploadEvent with { PreviousState = previous?.State });
            if (uploadEvent.Kind == ElementEventKind.Removed)
            {
                _uploads.Remove(uploadEvent.Upload.Key);
            }
            else
            {
                Update(uploadEvent.Upload);
            }
        }

        if (message.Progress is { } progress)
        {
            foreach (BrowserUpload upload in progress.Running)
            {
                Update(upload);
            }

            component.ReportProgress(progress.ToProgress());
        }

        if (!_isProcessing)
        {
            _ = ProcessAsync();
        }

        return true;
    }

    /// <summary>Returns the headers of a request. Calls at the same time get the same headers: those of several uploads, and repetitions of one that the browser takes for lost.</summary>
    /// <param name="isUnauthorized">Whether the response to the previous request was 401.</param>
    [JSInvokable]
    public async Task<JsonElement> GetHeaders(bool isUnauthorized)
    {
        if (_headersCall is not { Headers.IsCompleted: false } call || (isUnauthorized && !call.IsUnauthorized))
        {
            _headersCall = call = new HeadersCall(isUnauthorized, component.GetHeadersAsync(isUnauthorized));
        }

        return JsonSerializer.SerializeToElement(await call.Headers, UploadJsonContext.Default.IReadOnlyDictionaryStringString);
    }

    private void Update(BrowserUpload upload)
    {
        if (_uploads.Count < MaxUploads || _uploads.ContainsKey(upload.Key))
        {
            _uploads[upload.Key] = upload;
        }
    }

    private async Task ProcessAsync()
    {
        _isProcessing = true;
        while (_events.TryDequeue(out ElementEvent? uploadEvent))
        {
            await component.RaiseAsync(uploadEvent);
        }

        _isProcessing = false;
    }

    private sealed record HeadersCall(bool IsUnauthorized, Task<IReadOnlyDictionary<string, string>> Headers);
}

/// <summary>The events of a component.</summary>
internal interface IUploadEvents
{
    /// <summary>Raises an event. Exceptions of handlers are not thrown, but dispatched to the renderer.</summary>
    Task RaiseAsync(ElementEvent uploadEvent);

    /// <summary>Returns the headers of a request.</summary>
    Task<IReadOnlyDictionary<string, string>> GetHeadersAsync(bool isUnauthorized);

    void ReportProgress(BrowserUploadProgress progress);
}
