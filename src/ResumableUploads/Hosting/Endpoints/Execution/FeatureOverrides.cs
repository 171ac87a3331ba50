using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>Puts other features into a request, and the old ones back.</summary>
internal sealed class FeatureOverrides(IFeatureCollection features)
{
    private readonly Stack<(Type Type, object? Before)> _originals = new();

    public void Set<T>(T? feature) where T : class
    {
        _originals.Push((typeof(T), features[typeof(T)]));
        features[typeof(T)] = feature;
    }

    public void Restore()
    {
        while (_originals.TryPop(out (Type Type, object? Before) swapped))
        {
            features[swapped.Type] = swapped.Before;
        }
    }
}
