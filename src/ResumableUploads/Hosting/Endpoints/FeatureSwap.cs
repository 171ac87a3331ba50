using Microsoft.AspNetCore.Http.Features;

namespace ResumableUploads;

/// <summary>Puts other features into a request, and the old ones back.</summary>
internal sealed class FeatureSwap(IFeatureCollection features)
{
    private readonly Stack<(Type Type, object? Before)> _before = new();

    public void Set<T>(T? feature) where T : class
    {
        _before.Push((typeof(T), features[typeof(T)]));
        features[typeof(T)] = feature;
    }

    public void Undo()
    {
        while (_before.TryPop(out (Type Type, object? Before) swapped))
        {
            features[swapped.Type] = swapped.Before;
        }
    }
}
