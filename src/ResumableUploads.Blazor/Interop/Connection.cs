using System.Text.Json;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace ResumableUploads.Blazor.Interop;

/// <summary>The connection between a component and its element.</summary>
internal sealed class Connection : IAsyncDisposable
{
    private readonly IJSObjectReference _module;
    private readonly DotNetObjectReference<UploadReceiver> _reference;

    private Connection(IJSObjectReference module, IJSObjectReference handle, DotNetObjectReference<UploadReceiver> reference, UploadReceiver receiver) =>
        (_module, Handle, _reference, Receiver) = (module, handle, reference, receiver);

    /// <summary>Gets the object in JavaScript whose methods control the uploads.</summary>
    public IJSObjectReference Handle { get; }

    public UploadReceiver Receiver { get; }

    public static async Task<Connection> OpenAsync(IJSRuntime runtime, string path, ElementReference element, IUploadEvents events, JsonElement settings)
    {
        var receiver = new UploadReceiver(events);
        DotNetObjectReference<UploadReceiver> reference = DotNetObjectReference.Create(receiver);
        try
        {
            IJSObjectReference module = await runtime.InvokeAsync<IJSObjectReference>("import", path);
            IJSObjectReference handle = await module.InvokeAsync<IJSObjectReference>("connect", element, reference, settings);
            return new Connection(module, handle, reference, receiver);
        }
        catch
        {
            reference.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Handle.InvokeVoidAsync("dispose");
            await Handle.DisposeAsync();
            await _module.DisposeAsync();
        }
        catch (Exception exception) when (exception is JSDisconnectedException or OperationCanceledException)
        {
            // The browser has released its objects with the page.
        }
        finally
        {
            _reference.Dispose();
        }
    }
}
